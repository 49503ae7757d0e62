import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import { Client } from 'pg';
import { stoppedWithTheRun } from '../ending.js';

/** Connections of every contestant. */
export const POOL = 20;

/** A Postgres that keeps what it acknowledges (`fsync` and `synchronous_commit` on), for one run. */
export interface Server {
  /** Url of a new, empty database. */
  database(name: string): Promise<string>;
  /** Gives it the stock of WAL segments that a server has which has run for a while. */
  age(segments?: number): Promise<void>;
  /** Processor time of the server and all its processes so far, in seconds; 0 where the system does not tell (no Linux). */
  processorSeconds(): Promise<number>;
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
      min_wal_size: '2GB',
    },
  });
  const admin = new Client(server.url);
  const stop = stoppedWithTheRun(async () => {
    await admin.end();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await admin.connect();
  // Statements under way when the server is stopped are told of it, and by this event.
  admin.on('error', () => undefined);
  return {
    database: async (name) => {
      await admin.query(`CREATE DATABASE ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    age: (segments) => age(admin, segments),
    processorSeconds: () => processorSeconds(server.pid),
    stop,
  };
}

/** How many segments of WAL (16 MB each) an aged server has in stock, unless more are asked for. */
const SEGMENTS = 40;

/**
 * A server that has run for a while writes its WAL into segments that it has used before. A new one has to make each, which takes it 50 to 100 ms
 * in which nothing is committed, whoever asks for it. So some are filled and handed back by a checkpoint, before anybody is measured.
 */
async function age(admin: Client, segments = SEGMENTS): Promise<void> {
  await admin.query('CREATE TABLE filler (n int)');
  for (let n = 0; n < segments; n += 1) {
    await admin.query('INSERT INTO filler VALUES ($1)', [n]);
    await admin.query('SELECT pg_switch_wal()');
  }
  await admin.query('DROP TABLE filler');
  await admin.query('CHECKPOINT');
}

/** Clock ticks of a second in `/proc`. */
const TICKS = 100;

async function processorSeconds(server: number): Promise<number> {
  const processes = await readdir('/proc').catch(() => []);
  let ticks = 0;
  for (const id of processes.filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    // After the name, which may hold spaces: state, parent, …, and user and system time as the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(id) === server || Number(fields[1]) === server)
      ticks += Number(fields[11]) + Number(fields[12]);
    // And those of its processes that have ended: connections that nobody used for a while.
    if (Number(id) === server) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks / TICKS;
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
