// By path: the set-up of a run isn't given the condition under which package names lead to sources.
import { startEmbeddedPostgres } from '../../libs/embedded-postgres/src/index.js';
import { RunFolders, type RunFolder } from './run-folders.js';

/** The Postgres of one test run; its folder goes away with the run. */
export interface RunPostgres extends RunFolder {
  readonly url: string;
}

const folders = new RunFolders(
  'nestjs-orchestrator-test-',
  new URL('./postgres-watchdog.mjs', import.meta.url),
);

/** Machines may be busy. */
export const START_TIMEOUT_MS = 240_000;

/** Starts a Postgres on a free port in a temporary folder. */
export async function startRunPostgres(): Promise<RunPostgres> {
  const { folder, close } = await folders.open();
  try {
    const { url } = await startEmbeddedPostgres({
      dataDir: folder,
      // Commits must outlive a killed process, as some tests check, but not the loss of power.
      durable: process.env['TEST_POSTGRES_DURABLE'] === '1',
      settings: { max_connections: '200' },
      startTimeoutMs: START_TIMEOUT_MS,
    });
    return { url, folder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Stops the Postgres on a data directory, if one runs there, and removes the directory. */
export function removeWithServer(folder: string): Promise<void> {
  return folders.remove(folder);
}
