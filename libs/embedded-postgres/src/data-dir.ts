import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError, systemCode } from './errors.js';

/** Makes the data directory when absent; throws `EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE`. */
export function prepareDataDir(dataDir: string): void {
  inDataDir(dataDir, () => {
    makeFolder(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  });
}

/**
 * Not `mkdirSync(…, { recursive: true })`: Node 20 never returns from it where a file system answers "no such file" for
 * a folder whose parent exists, as /proc does.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** Does something in the data directory; a refusal of the file system becomes a typed error. */
export function inDataDir<T>(dataDir: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined || cause instanceof EmbeddedPostgresError) throw cause;
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE',
      `The data directory ${dataDir} can't be used by user ${process.getuid?.() ?? ''}: ${(cause as Error).message}. ` +
        'Make it a folder that this user may write to, or choose another one.',
      { dataDir, systemCode: code },
      { cause },
    );
  }
}

/**
 * Whether there is a cluster already; throws `EMBEDDED_POSTGRES_DATA_DIR_VERSION` when another major version of
 * Postgres wrote it, because only a dump can carry data over.
 */
export function clusterExists(cluster: string, major: string): boolean {
  const file = join(cluster, 'PG_VERSION');
  if (!existsSync(file)) return false;
  const found = readFileSync(file, 'utf8').trim();
  if (found === major) return true;
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_DATA_DIR_VERSION',
    `The data in ${cluster} was written by Postgres ${found}, the embedded one is Postgres ${major}. ` +
      `Dump it with Postgres ${found} (pg_dumpall) and load it into a new data directory, ` +
      'or delete the directory if the data may go.',
    { cluster, found, expected: major },
  );
}
