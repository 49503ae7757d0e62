import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { startRedisSentinel, type RedisSentinel } from '../support/redis-sentinel.js';
import { freePort } from '../support/redis-server.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import { by, entry, outcomes } from '../typeorm/support.js';
import { bytes, joined } from './streams-support.js';
import { insist } from './support.js';

let servers: RedisSentinel;

beforeEach(async () => {
  servers = await startRedisSentinel(redisFolder());
});
afterEach(() => servers.stop());

function clientOf({ sentinels, name }: Pick<RedisSentinel, 'sentinels' | 'name'>): Redis {
  const client = new Redis({ sentinels: [...sentinels], name, lazyConnect: true });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** Whatever was acknowledged before has arrived at the replica. */
async function replicated(): Promise<void> {
  const client = new Redis(servers.master.url);
  await client.set('checkpoint', '1');
  await client.wait(1, 0);
  client.disconnect();
}

it('after a fail-over under load streams and store go on by themselves, with all that had been replicated', async () => {
  const { prefix } = redisNamespace();
  const options = { prefix, partitions: 4, leaseMs: 60_000, retryMs: 10 };
  const [a, b] = [
    await joined('a', clientOf(servers), options),
    await joined('b', clientOf(servers), options),
  ];
  await b.serve();
  const store = redisStore(clientOf(servers), { prefix });
  await store.start();
  onTestFinished(() => store.close());
  expect(outcomes(await store.commit([entry('i-1', 0)], by()))).toEqual(['committed']);
  const acknowledged = new Set<number>();
  let next = 0;
  const load = { ended: false };
  const publishing = Array.from({ length: 16 }, async () => {
    while (!load.ended) {
      const n = next;
      next += 1;
      await a.seat.publish(`m-${n % 7}`, bytes(`${n}`));
      acknowledged.add(n);
      a.change.now();
    }
  });
  await a.change.until(() => acknowledged.size > 500);
  const safe = [...acknowledged];
  await replicated();
  await servers.master.stop('SIGKILL');
  const before = acknowledged.size;
  await a.change.until(() => acknowledged.size > before + 500);
  load.ended = true;
  await Promise.all(publishing);
  await a.seat.publish('last', bytes('last'));
  await b.change.until(() => b.handled.some(({ text }) => text === 'last'));
  // What the new master has acknowledged, since the last that were told before the old one died.
  const later = [...acknowledged].slice(before + 16);
  const there = (): boolean => {
    const handled = new Set(b.handled.map(({ text }) => Number(text)));
    return [...safe, ...later].every((n) => handled.has(n));
  };
  await b.change.until(there);
  const promoted = new Redis(servers.replica.url);
  expect((await promoted.role())[0]).toBe('master');
  promoted.disconnect();
  expect(outcomes(await insist(() => store.commit([entry('i-1', 1)], by())))).toEqual(['committed']);
  expect(a.losses).toEqual([]);
  expect(b.losses).toEqual([]);
});

it('without a sentinel that answers, the error says that Redis is away', async () => {
  const nobody = { sentinels: [{ host: '127.0.0.1', port: await freePort() }], name: 'main' };
  const store = redisStore(clientOf(nobody), { timeoutMs: 2_000 });
  await expect(store.start()).rejects.toBeInstanceOf(StoreUnavailableError);
  await store.close();
});
