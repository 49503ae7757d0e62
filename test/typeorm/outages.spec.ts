import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { startEmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../support/redis-server.js';
import {
  AT,
  by,
  dataSourceOf,
  entry,
  key,
  outcomes,
  RIVAL,
  SAGA,
  TENANT,
  twoNodes,
  work,
  type TwoNodes,
} from './support.js';

let nodes: TwoNodes;

beforeEach(async () => {
  nodes = await twoNodes();
});

afterEach(() => nodes.close());

/** Ends all sessions of the nodes. */
async function killBackends(): Promise<void> {
  await nodes.rival.sql(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> $1`,
    [RIVAL],
  );
}

/** Asks again while it is told that the database is away, as a node does: every dead connection of the pool says so once. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

it('a commit whose backend is killed rejects as unavailable, and the next one is served', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, parked) VALUES ($1, $2, 'orderId', 'k', 0)`,
    [TENANT, SAGA],
  );
  const commit = stores[0]
    .commit([entry('i-1', 0, { keys: [key('k')] })], by())
    .catch((error: unknown) => error);
  await rival.isWaitedFor();
  await killBackends();
  expect(await commit).toMatchObject({ name: 'StoreUnavailableError', retryable: true });
  await rival.sql('ROLLBACK');
  const results = await insist(() => stores[0].commit([entry('i-1', 0, { keys: [key('k')] })], by()));
  expect(outcomes(results)).toEqual(['committed']);
});

it('a connection that breaks in a transaction makes it unavailable, whatever its work throws', async () => {
  const failed = nodes.stores[0].transaction(async (tx) => {
    await tx.enqueue([work('w-1')]);
    await killBackends();
    await tx.enqueue([work('w-2')]).catch(() => undefined);
    throw new Error('the work’s own view of it');
  }, AT);
  await expect(failed).rejects.toBeInstanceOf(StoreUnavailableError);
  await insist(() => nodes.stores[0].ping());
});

it('a node whose listening connection was killed hears of work again', async () => {
  // The hint that every reconnection gives: what was said meanwhile is lost.
  const listensAgain = new Promise<void>((resolve) => void nodes.stores[1].onWork(resolve));
  await killBackends();
  await listensAgain;
  const heard = new Promise<void>((resolve) => void nodes.stores[1].onWork(resolve));
  await insist(() => nodes.stores[0].ping());
  await nodes.sources[0].transaction(async (manager) => {
    await nodes.stores[0].within(manager, AT).enqueue([work('w-1')]);
  });
  await heard;
  const request = { ...by(), destinations: ['handler:Pay'], limit: 1 };
  const { items } = await insist(() => nodes.stores[1].claimWork(request));
  expect(items).toHaveLength(1);
});

it('a store whose DataSource was closed is unavailable', async () => {
  const source = await dataSourceOf(nodes.url).initialize();
  const store = typeormStore(source);
  await store.start();
  await source.destroy();
  await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
  await expect(store.commit([entry('i-1', 0)], by())).rejects.toBeInstanceOf(StoreUnavailableError);
  await store.close();
});

it('a store outlives the restart of its Postgres: nothing acknowledged is lost, and it listens again', async () => {
  const dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'nestjs-orchestrator-restart-'));
  // No outgoing connection gets it while the server is away.
  const port = await freePort();
  let server = await startEmbeddedPostgres({ dataDir, durable: false, stopOnExit: true, port });
  const source = await dataSourceOf(server.url).initialize();
  const store = typeormStore(source);
  await store.start();
  await store.commit([entry('i-1', 0, { work: [work('w-1')] })], { ...by(), leaseMs: 0 });
  await server.stop();
  await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
  const listensAgain = new Promise<void>((resolve) => void store.onWork(resolve));
  server = await startEmbeddedPostgres({ dataDir, durable: false, stopOnExit: true, port });
  await listensAgain;
  const request = { ...by(), destinations: ['handler:Pay'], limit: 1 };
  const { items } = await insist(() => store.claimWork(request));
  expect(items).toMatchObject([{ id: 'w-1', attempts: 1, suspect: true }]);
  await store.close();
  await source.destroy();
  await server.stop();
  rmSync(dataDir, { recursive: true });
});
