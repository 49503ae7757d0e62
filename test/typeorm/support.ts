import type {
  Commit,
  CommitResult,
  HistoryRecord,
  InstanceRef,
  WorkRecord,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { typeormStore, type TypeormStoreOptions } from '@nestjs-orchestrator/typeorm';
import { Client } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { createTestDatabase } from '../support/database.js';

/** A DataSource as an application makes it. */
export function dataSourceOf(
  url: string,
  options: Partial<Extract<DataSourceOptions, { type: 'postgres' }>> = {},
): DataSource {
  // Breaks of connections are provoked; the log of TypeORM would tell of each.
  return new DataSource({ type: 'postgres', url, poolErrorHandler: () => undefined, ...options });
}

/** Of one connection, which stays however long nothing is asked: what a test asks of it is told of all that the store did. */
export function oneConnection(url: string): DataSource {
  return dataSourceOf(url, { poolSize: 1, extra: { idleTimeoutMillis: 0 } });
}

/** Two nodes on one database, each with a pool of its own, and a connection that is no node's. */
export interface TwoNodes {
  readonly url: string;
  readonly sources: readonly [DataSource, DataSource];
  readonly stores: readonly [InstanceStore, InstanceStore];
  readonly rival: Rival;
  close(): Promise<void>;
}

export async function twoNodes(options: TypeormStoreOptions = {}): Promise<TwoNodes> {
  const database = await createTestDatabase();
  const { url } = database;
  const sources = [dataSourceOf(url), dataSourceOf(url)] as const;
  await Promise.all(sources.map((source) => source.initialize()));
  const stores = [typeormStore(sources[0], options), typeormStore(sources[1], options)] as const;
  await Promise.all(stores.map((store) => store.start()));
  const rival = await Rival.connect(url);
  return {
    url,
    sources,
    stores,
    rival,
    async close() {
      await rival.end();
      await Promise.all(stores.map((store) => store.close()));
      await Promise.all(sources.map((source) => source.destroy()));
      await database.drop();
    },
  };
}

/**
 * From now on the server looks after the store's tables only when it is told to. By itself it comes once a minute, and changes what plans it makes and how much is
 * read and written: tests that look at those would depend on how long they take.
 */
export async function undisturbed(source: DataSource): Promise<void> {
  const tables = await source.query<{ name: string }[]>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'orchestrator'`,
  );
  for (const { name } of tables) await source.query(`ALTER TABLE ${name} SET (autovacuum_enabled = off)`);
}

/** Application name of connections that are no node's. */
export const RIVAL = 'rival';

/** A connection whose statements a test places between those of the store. */
export class Rival {
  private constructor(
    private readonly client: Client,
    private readonly watcher: Client,
    private readonly pid: number,
  ) {}

  static async connect(url: string): Promise<Rival> {
    const options = { connectionString: url, application_name: RIVAL };
    const [client, watcher] = [new Client(options), new Client(options)];
    await Promise.all([client.connect(), watcher.connect()]);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return new Rival(client, watcher, rows[0]?.pid ?? 0);
  }

  async sql<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(text, values)).rows;
  }

  /** Resolves when somebody waits for a lock of this connection. */
  async isWaitedFor(): Promise<void> {
    const text = 'SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))';
    while ((await this.watcher.query(text, [this.pid])).rowCount === 0);
  }

  async end(): Promise<void> {
    await Promise.all([this.client.end(), this.watcher.end()]);
  }
}

export const TENANT = 'acme';
export const SAGA = 'order';
export const AT = { now: null };

export function by(owner = 'node-a'): WriteOptions {
  return { owner, leaseMs: 30_000, now: null };
}

export function ref(id: string): InstanceRef {
  return { tenant: TENANT, saga: SAGA, id };
}

export function key(value: string) {
  return { name: 'orderId', value };
}

export function work(id: string, fields: Partial<WorkRecord> = {}): WorkRecord {
  return { tenant: TENANT, destination: 'handler:Pay', id, lane: null, payload: '{}', delayMs: 0, ...fields };
}

export function state(fields: Partial<Commit['next']> = {}): Commit['next'] {
  const texts = { data: '{"total":10}', machine: '{}', undo: '[]', hold: null };
  return { definitionVersion: 1, state: 'open', status: 'running', ended: false, ...texts, ...fields };
}

/** A commit that changes nothing but the state, and what is given. */
export function entry(id: string, expectedVersion: number, fields: Partial<Commit> = {}): Commit {
  return {
    ref: ref(id),
    expectedVersion,
    lease: null,
    supersedes: null,
    next: state(),
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
    ...fields,
  };
}

export function inbox(messageId: string, outcome = 'applied') {
  return { messageId, outcome, reply: null };
}

export function line(kind: string, messageId: string): HistoryRecord {
  return { kind, name: 'Paid', messageId, from: 'open', to: 'open', detail: null };
}

export function outcomes(results: readonly (CommitResult | Error)[]): readonly string[] {
  return results.map((result) => (result instanceof Error ? 'error' : result.outcome));
}

/** 200 creations that nothing speaks against. */
export function bystanders(prefix = 'by'): readonly Commit[] {
  return Array.from({ length: 200 }, (_, n) =>
    entry(`${prefix}-${n}`, 0, {
      keys: [key(`${prefix}-${n}`)],
      inbox: inbox('m-1'),
      work: [work(`${prefix}-${n}`)],
    }),
  );
}
