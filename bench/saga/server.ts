import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import { Client } from 'pg';

/** Connections of every contestant. */
export const POOL = 20;

/** A Postgres that keeps what it acknowledges (`fsync` and `synchronous_commit` on), for one run. */
export interface Server {
  /** Url of a new, empty database. */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the server on a folder of its own; `stop` removes it. */
export async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-saga-'));
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'data'),
    stopOnExit: true,
    settings: {
      fsync: 'on',
      synchronous_commit: 'on',
      max_connections: '100',
      shared_buffers: '512MB',
      max_wal_size: '4GB',
    },
  });
  const admin = new Client(server.url);
  await admin.connect();
  return {
    database: async (name) => {
      await admin.query(`CREATE DATABASE ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: async () => {
      await admin.end();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Transactions and bytes of WAL of the whole server so far. */
export interface Meter {
  readonly transactions: number;
  readonly walBytes: number;
}

/** Reads the meters; the difference of two readings is what happened in between, the reading itself included. */
export async function readMeter(client: Client): Promise<Meter> {
  const { rows } = await client.query<{ transactions: string; wal: string }>(
    `SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS transactions,
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal`,
  );
  const [row] = rows;
  return { transactions: Number(row?.transactions), walBytes: Number(row?.wal) };
}
