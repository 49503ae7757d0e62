import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEmbeddedPostgresError, startEmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import type { Settings } from '../config/settings.js';

/** A Postgres that accepts connections, ours or somebody else's. */
export interface Postgres {
  readonly url: string;
  /** For people: what it is and where its data is. */
  readonly description: string;
  /** Stops it if we started it. */
  stop(): Promise<void>;
}

type Where = Pick<Settings, 'postgresUrl' | 'dataDir'>;

/** Uses the Postgres at `POSTGRES_URL`, or starts the embedded one on `./data`. */
export async function openPostgres(where: Where, onProgress: (line: string) => void): Promise<Postgres> {
  const { postgresUrl, dataDir } = where;
  if (postgresUrl !== undefined) {
    return { url: postgresUrl, description: 'Postgres at POSTGRES_URL', stop: () => Promise.resolve() };
  }
  const server = await startEmbeddedPostgres({ dataDir, stopOnExit: true, onProgress });
  // Lets `npm run check:orders` find the running server; others must not read it, it holds the password.
  writeFileSync(urlFile(dataDir), server.url, { mode: 0o600 });
  return {
    url: server.url,
    description: `embedded Postgres on port ${server.port}, data in ${dataDir}`,
    stop: async () => {
      rmSync(urlFile(dataDir), { force: true });
      await server.stop();
    },
  };
}

/** As {@link openPostgres}, but where a running application has started the embedded one, joins it. */
export async function joinPostgres(where: Where): Promise<Postgres> {
  try {
    return await openPostgres(where, () => undefined);
  } catch (error) {
    if (!isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_DATA_DIR_IN_USE')) throw error;
    const url = readFileSync(urlFile(where.dataDir), 'utf8');
    return { url, description: 'the Postgres of the running application', stop: () => Promise.resolve() };
  }
}

function urlFile(dataDir: string): string {
  return join(dataDir, 'postgres.url');
}
