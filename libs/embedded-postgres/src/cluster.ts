import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';
import { runProgram, type Installation } from './programs.js';

const DRAFT = 'cluster.init-';

/** Password only, and from this machine only. */
const ACCESS = `host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128      scram-sha-256
`;

/**
 * Makes the files of a new cluster. They are made beside their place and moved there when complete, so that a start
 * that is killed half-way leaves nothing that the next one could take for a database.
 */
export async function createCluster(at: Installation, durable: boolean): Promise<void> {
  if (existsSync(at.cluster)) throw notACluster(at.cluster);
  sweepDrafts(at.dataDir);
  const draft = join(at.dataDir, `${DRAFT}${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(draft, { mode: 0o700 });
  try {
    if (at.runAs.user !== undefined) chownSync(draft, at.runAs.user.uid, at.runAs.user.gid);
    const { exitCode, output } = await runProgram(at, at.binaries.initdb, initArguments(draft, durable));
    if (exitCode !== 0) throw initFailed(at.dataDir, `initdb ended with code ${exitCode}`, output);
    // Written over the file that initdb made, which keeps its owner.
    writeFileSync(join(draft, 'pg_hba.conf'), ACCESS);
    renameSync(draft, at.cluster);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** The error for a cluster that couldn't be made or furnished. */
export function initFailed(dataDir: string, what: string, output: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_INIT_FAILED',
    `The database cluster in ${dataDir} couldn't be initialised: ${what}. Its output:\n${output}`,
    { dataDir, output },
  );
}

function initArguments(folder: string, durable: boolean): string[] {
  return [
    `--pgdata=${folder}`,
    '--username=postgres',
    // Nothing listens before ACCESS is in place; trust here only spares a file with a password.
    '--auth=trust',
    '--no-instructions',
    '--encoding=UTF8',
    // The same order of text and the same messages on every machine.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ];
}

function sweepDrafts(dataDir: string): void {
  for (const name of readdirSync(dataDir))
    if (name.startsWith(DRAFT)) rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 3 });
}

function notACluster(cluster: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_INIT_FAILED',
    `The folder ${cluster} exists but holds no database cluster (it has no file PG_VERSION). ` +
      'Move it away, or choose another data directory.',
    { cluster },
  );
}
