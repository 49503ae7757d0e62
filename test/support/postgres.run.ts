import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// By path: the set-up of a run isn't given the condition under which package names lead to sources.
import { startEmbeddedPostgres } from '../../libs/embedded-postgres/src/index.js';

/** The Postgres of one test run. */
export interface RunPostgres {
  readonly url: string;
  /** Folder that goes away with the run. */
  readonly folder: string;
  /** Stops it and removes its folder; the end of this process, of whatever kind, does the same. */
  close(): Promise<void>;
}

const PREFIX = 'nestjs-orchestrator-test-';
const WATCHDOG = fileURLToPath(new URL('./postgres-watchdog.mjs', import.meta.url));

/** Starts a Postgres on a free port in a temporary folder, after removing what dead runs left behind. */
export async function startRunPostgres(): Promise<RunPostgres> {
  const temporary = realpathSync(tmpdir());
  await sweep(temporary);
  const folder = mkdtempSync(join(temporary, `${PREFIX}${process.pid}-`));
  const close = watch(folder);
  try {
    const { url } = await startEmbeddedPostgres({
      dataDir: folder,
      // Commits must outlive a killed process, as some tests check, but not the loss of power.
      durable: process.env['TEST_POSTGRES_DURABLE'] === '1',
      settings: { max_connections: '200' },
    });
    return { url, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One way out for every kind of end: the watchdog cleans up when our end of its pipe closes. */
function watch(folder: string): () => Promise<void> {
  const watchdog = spawn(process.execPath, [WATCHDOG, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a session of its own, so that Ctrl-C doesn't reach it.
    detached: true,
  });
  watchdog.unref();
  const gone = once(watchdog, 'exit');
  return async () => {
    watchdog.ref();
    watchdog.stdin.end();
    await gone;
  };
}

/** Stops the Postgres on a data directory, if one runs there, and removes the directory. */
export async function removeWithServer(folder: string): Promise<void> {
  await watch(folder)();
}

/** Folders of runs whose watchdog was killed as well, or that ended with the machine. */
async function sweep(temporary: string): Promise<void> {
  for (const name of readdirSync(temporary)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) await removeWithServer(join(temporary, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The run of another user is alive as well.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
