import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError, systemCode } from './errors.js';
import { identify, stillRuns, type ProcessIdentity } from './identity.js';

/** The right to run a server on a data directory, held by one live process. */
export interface Ownership {
  /** Gives the right back; the process itself may then take it again. */
  release(): void;
}

interface Claim extends ProcessIdentity {
  readonly released: boolean;
}

const CLAIM = /^owner\.(\d+)\.json$/;

/**
 * Takes the data directory for this process; throws `EMBEDDED_POSTGRES_DATA_DIR_IN_USE` while another live one has it.
 *
 * Claims are numbered files, the highest counts. A claim is made by linking a finished file to the next number, which
 * succeeds for one process only, and nobody but its maker ever changes it: so a claim whose process has died needs no
 * removal before the next one is made, and two processes that find it dead at the same time can't both win.
 */
export function takeOwnership(dataDir: string): Ownership {
  const self = identify(process.pid) ?? { pid: process.pid, born: '' };
  for (;;) {
    const number = highestClaim(dataDir);
    const holder = readClaim(dataDir, number);
    if (holder === 'gone') continue;
    if (holder !== undefined && !holder.released && stillRuns(holder)) throw inUse(dataDir, holder.pid);
    const mine = number + 1;
    if (!place(dataDir, mine, { ...self, released: false })) continue;
    // A slower process may have linked a number that was already superseded and tidied away.
    if (highestClaim(dataDir) !== mine) {
      rmSync(claimPath(dataDir, mine), { force: true });
      continue;
    }
    tidy(dataDir, mine);
    return { release: () => rewrite(dataDir, mine, { ...self, released: true }) };
  }
}

function claimPath(dataDir: string, number: number): string {
  return join(dataDir, `owner.${number}.json`);
}

function claims(dataDir: string): readonly number[] {
  return readdirSync(dataDir).flatMap((name) => {
    const digits = CLAIM.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
}

function highestClaim(dataDir: string): number {
  return Math.max(0, ...claims(dataDir));
}

function readClaim(dataDir: string, number: number): Claim | undefined | 'gone' {
  if (number === 0) return undefined;
  try {
    return JSON.parse(readFileSync(claimPath(dataDir, number), 'utf8')) as Claim;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'gone';
    // Cut short by the loss of power: its process is gone as well.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function place(dataDir: string, number: number, claim: Claim): boolean {
  const draft = write(dataDir, claim);
  try {
    linkSync(draft, claimPath(dataDir, number));
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function rewrite(dataDir: string, number: number, claim: Claim): void {
  renameSync(write(dataDir, claim), claimPath(dataDir, number));
}

function write(dataDir: string, claim: Claim): string {
  const draft = join(dataDir, `owner.${process.pid}.draft`);
  writeFileSync(draft, JSON.stringify(claim), { mode: 0o600 });
  return draft;
}

function tidy(dataDir: string, mine: number): void {
  for (const number of claims(dataDir))
    if (number < mine) rmSync(claimPath(dataDir, number), { force: true });
}

function inUse(dataDir: string, pid: number): EmbeddedPostgresError {
  const who = pid === process.pid ? `this very process (${pid})` : `process ${pid}, which is still running`;
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_DATA_DIR_IN_USE',
    `The data directory ${dataDir} is in use by ${who}. ` +
      'Stop that one first, or give this one another data directory or the url of a running Postgres.',
    { dataDir, pid },
    { retryable: true },
  );
}
