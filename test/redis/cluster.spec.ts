import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import { AT, by, entry, key, outcomes, SAGA, work } from '../typeorm/support.js';
import { bytes, joined } from './streams-support.js';
import { insist } from './support.js';

let servers: RedisCluster;
let cluster: Cluster;

beforeAll(async () => {
  servers = await startRedisCluster(redisFolder());
  cluster = new Cluster([...servers.seeds]);
  cluster.on('error', () => undefined);
});
afterAll(async () => {
  cluster.disconnect();
  await servers.stop();
});

/** Which node has the keys of a tenant. */
async function nodeOf(prefix: string, tenant: string): Promise<number> {
  for (const [n, { url }] of servers.nodes.entries()) {
    const client = new Redis(url);
    const found = await client.keys(`{${prefix}/${tenant}}:*`);
    client.disconnect();
    if (found.length > 0) return n;
  }
  throw new Error(`No node has keys of ${tenant}.`);
}

it('tenants are spread over the nodes, and work of all of them is found', async () => {
  const { prefix } = redisNamespace();
  const store = redisStore(cluster, { prefix });
  await store.start();
  const tenants = Array.from({ length: 12 }, (_, n) => `tenant-${n}`);
  await store.enqueue(
    tenants.map((tenant) => work(tenant, { tenant, delayMs: 1 })),
    { ...by(), now: 0 },
  );
  const nodes = new Set(await Promise.all(tenants.map((tenant) => nodeOf(prefix, tenant))));
  expect(nodes.size).toBe(3);
  const { items } = await store.claimWork({
    ...by('node-b'),
    now: 1,
    destinations: ['handler:Pay'],
    limit: 99,
  });
  expect(items.map(({ id }) => id).toSorted()).toEqual(tenants.toSorted());
  await store.close();
});

it('a node that is killed takes its tenants out of reach until it is back, with all that it had acknowledged', async () => {
  const { prefix } = redisNamespace();
  const store = redisStore(cluster, { prefix });
  await store.start();
  expect(outcomes(await store.commit([entry('i-1', 0, { keys: [key('k')] })], by()))).toEqual(['committed']);
  const node = servers.nodes[await nodeOf(prefix, 'acme')];
  await node?.stop('SIGKILL');
  const refused = store.commit([entry('i-1', 1)], by());
  await expect(refused).rejects.toBeInstanceOf(StoreUnavailableError);
  await node?.start();
  const results = await insist(() => store.commit([entry('i-1', 1)], by()));
  expect(outcomes(results)).toEqual(['committed']);
  const asked = { tenant: 'acme', saga: SAGA, by: { key: key('k') }, messageId: 'm' };
  const [found] = await insist(() => store.load([asked], AT));
  expect(found?.instance?.version).toBe(2);
  await store.close();
});

it('streams spread over the nodes of a cluster, and go on when one that was killed is back', async () => {
  const { prefix } = redisNamespace();
  const options = { prefix, partitions: 16, leaseMs: 20_000, retryMs: 10 };
  const [a, b] = [await joined('a', cluster, options), await joined('b', cluster, options)];
  await b.serve();
  const names = Array.from({ length: 64 }, (_, n) => `machine-${n}`);
  const all = (round: number): Promise<unknown> =>
    Promise.all(names.map((name) => a.seat.publish(name, bytes(`${round}`))));
  await all(1);
  await b.change.until(() => b.handled.length === 64);
  const node = servers.nodes[1];
  await node?.stop('SIGKILL');
  const during = all(2);
  await node?.start();
  await during;
  const of = (name: string): string =>
    b.handled.filter((each) => each.name === name).reduce((texts, { text }) => texts + text, '');
  // In order per name; what was not known to be freed may come again.
  await b.change.until(() => names.every((name) => /^1+2+$/.test(of(name))));
  expect(b.losses).toEqual([]);
});
