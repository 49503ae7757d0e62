import type { CircuitEvent } from '@nestjs-orchestrator/core/resilience';
import {
  RedisBucketStore,
  redisCircuitBreaker,
  RedisCircuitStore,
  redisRateLimiter,
} from '@nestjs-orchestrator/redis';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import { expectToFollowTheModel as expectBreakerToFollow } from './shared-breaker-schedule.js';
import { expectToFollowTheModel as expectLimiterToFollow } from './shared-limiter-schedule.js';
import { deferred, heard } from './support.js';

/** Keys of the hash tags spread over three nodes. */
const PARTITIONS = 12;
const RUNS = 20;

let servers: RedisCluster;
const clients: Cluster[] = [];

beforeAll(async () => {
  servers = await startRedisCluster(redisFolder());
  for (let at = 0; at < 2; at += 1) {
    const client = new Cluster([...servers.seeds], {
      enableOfflineQueue: false,
      clusterRetryStrategy: () => 20,
      redisOptions: { maxRetriesPerRequest: 0 },
    });
    client.on('error', () => undefined);
    await heard(client, 'ready');
    clients.push(client);
  }
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await servers.stop();
});

const [first, second] = [0, 1].map((at) => () => clients[at] as Cluster) as [() => Cluster, () => Cluster];

/** How many keys that begin so each node has. */
async function keysOnNodes(prefix: string): Promise<readonly number[]> {
  return Promise.all(
    servers.nodes.map(async ({ url }) => {
      const node = new Redis(url);
      const keys = await node.keys(`${prefix}*`);
      node.disconnect();
      return keys.length;
    }),
  );
}

describe('a limiter on a Redis cluster', () => {
  it('is one limit for all nodes, and its buckets lie on all servers', async () => {
    const { prefix } = redisNamespace();
    const limits = { name: 'spread', prefix, maxTransitionsPerSecond: 0.001, burstCapacity: 3 };
    const [one, two] = [first, second].map((client) =>
      redisRateLimiter(client(), { ...limits, partitions: PARTITIONS, storeTimeout: 60_000 }),
    ) as [ReturnType<typeof redisRateLimiter>, ReturnType<typeof redisRateLimiter>];
    const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`);
    const calls = keys.flatMap((key) => [one, two, one, two, one].map(async (node) => node.tryAcquire(key)));
    const passed = (await Promise.all(calls)).filter(Boolean);
    expect(passed).toHaveLength(keys.length * limits.burstCapacity);
    for (const count of await keysOnNodes(prefix)) expect(count).toBeGreaterThan(0);
    await one.reset();
    expect(await two.tryAcquire('key-7', 3)).toBe(true);
    expect(one.statistics().withoutStore + two.statistics().withoutStore).toBe(0);
  });

  it('does what the reference model does, on any schedule', () => {
    const { prefix } = redisNamespace();
    return expectLimiterToFollow(RUNS, () => ({
      clock: new VirtualClock(),
      store: new RedisBucketStore(first(), { prefix, partitions: PARTITIONS }),
    }));
  });
});

describe('a breaker on a Redis cluster', () => {
  it('that one node opens is open on the other', async () => {
    const { prefix } = redisNamespace();
    const opened = deferred<CircuitEvent>();
    const options = {
      name: 'bank',
      prefix,
      consecutiveFailures: 1,
      breakDuration: 3_600_000,
      storeTimeout: 60_000,
    };
    const one = redisCircuitBreaker(first(), options);
    const two = redisCircuitBreaker(second(), { ...options, onEvent: opened.resolve });
    onTestFinished(() => {
      one.close();
      two.close();
    });
    await Promise.all([one.refresh(), two.refresh()]);
    await two.execute(async () => 'ok');
    await one.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
    expect(await opened.promise).toMatchObject({ from: 'closed', to: 'open', cause: 'shared' });
    await expect(two.execute(async () => 'ok')).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      state: 'open',
    });
  });

  it('does what the reference model does, on any schedule', () => {
    const { prefix } = redisNamespace();
    return expectBreakerToFollow(RUNS, () => ({
      clock: new VirtualClock(),
      store: new RedisCircuitStore(first(), { prefix }),
    }));
  });
});

describe('a server of the cluster that dies and comes back', () => {
  it.each(['closed', 'local', 'open'] as const)(
    'leaves its keys to whenUnavailable (%s) meanwhile, and is asked again',
    async (whenUnavailable) => {
      const { prefix } = redisNamespace();
      const told: boolean[] = [];
      const clock = new VirtualClock();
      const limiter = redisRateLimiter(first(), {
        name: 'outage',
        prefix,
        maxTransitionsPerSecond: 0.001,
        burstCapacity: 2,
        whenUnavailable,
        storeTimeout: 1e9,
        retryInterval: 1_000,
        onAvailability: ({ available }) => told.push(available),
        clock,
      });
      await limiter.acquire('key', 2);
      expect(await limiter.tryAcquire('key')).toBe(false);
      const node = servers.nodes[(await keysOnNodes(prefix)).findIndex((count) => count > 0)];
      await node?.stop('SIGKILL');
      const calls = async () => Promise.all([1, 2, 3].map(async () => limiter.tryAcquire('key')));
      expect((await calls()).filter(Boolean)).toHaveLength({ closed: 0, local: 2, open: 3 }[whenUnavailable]);
      expect(told).toEqual([false]);
      const whole = node?.logged('Cluster state changed: ok');
      await node?.start();
      await whole;
      // Each call after retryInterval asks once; the client may still be on its way back to the server.
      while (told.length === 1) {
        await clock.advance(1_000);
        await limiter.tryAcquire('other');
      }
      expect(told).toEqual([false, true]);
      // What it had acknowledged, it kept.
      expect(await limiter.tryAcquire('key')).toBe(false);
    },
  );
});
