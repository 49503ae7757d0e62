import type { SharedRateLimiter } from '@nestjs-orchestrator/core/resilience';
import { redisRateLimiter } from '@nestjs-orchestrator/redis';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../support/processes.js';
import { startRedisServer } from '../support/redis-server.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import type { LimiterNode } from './limiter.process.js';
import { heard } from './support.js';

const { url, prefix } = redisNamespace();
const redis = new Redis(url);
afterAll(() => redis.quit());

describe('a limiter on Redis', () => {
  it('gives out exactly what came in over 24 hours', async () => {
    const clock = new VirtualClock();
    const limiter = redisRateLimiter(redis, {
      name: 'a day',
      prefix,
      maxTransitionsPerSecond: 7 / 60,
      burstCapacity: 100,
      storeTimeout: 1e9,
      clock,
    });
    const day = 24 * 3_600_000;
    const step = 601_001;
    const all = async (): Promise<number> => {
      const answers = await Promise.all(Array.from({ length: 100 }, async () => limiter.tryAcquire('key')));
      return answers.filter(Boolean).length;
    };
    let passed = await all();
    for (let left = day; left > 0; left -= step) {
      await clock.advance(Math.min(left, step));
      passed += await all();
    }
    expect(passed).toBe(100 + 7 * 60 * 24);
  });

  it('fills one bucket, or all, for every node', async () => {
    const [one, two] = [0, 1].map(() =>
      redisRateLimiter(redis, {
        name: 'filled',
        prefix,
        maxTransitionsPerSecond: 0.001,
        burstCapacity: 2,
        storeTimeout: 60_000,
      }),
    ) as [SharedRateLimiter, SharedRateLimiter];
    for (const key of ['a', 'b', undefined]) await one.acquire(key, 2);
    await two.reset('a');
    expect([(await one.peek('a')).tokens, Math.floor((await one.peek('b')).tokens)]).toEqual([2, 0]);
    await two.reset();
    expect((await one.peek('b')).tokens).toBe(2);
    expect((await one.peek()).tokens).toBe(2);
  });

  it('keeps a key no longer than its bucket takes to fill', async () => {
    const limiter = redisRateLimiter(redis, {
      name: 'short',
      prefix: `${prefix}-short`,
      maxTransitionsPerSecond: 0.01,
      burstCapacity: 10,
      storeTimeout: 60_000,
    });
    await Promise.all(Array.from({ length: 200 }, async (_, at) => limiter.tryAcquire(`key-${at}`, 10)));
    const keys = await redis.keys(`${prefix}-short*`);
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
    expect(keys).toHaveLength(200);
    expect(lives.filter((life) => life <= 0 || life > 1_001_000)).toEqual([]);
  });
});

describe('four processes', () => {
  const limits = { rate: 50, burst: 500, keys: ['hot', 'warm'] };

  it.each([
    ['let no more than the limit through', {}, 0],
    ['let no more than the limit and their leases through', { lease: 40 }, 40 * 4],
  ])('%s', async (_title, options, extra) => {
    const own = `${prefix}-${extra}`;
    const node: LimiterNode = { url, prefix: own, ...limits, ...options, calls: 6_000, atOnce: 60 };
    const nodes = Array.from({ length: 4 }, () =>
      startProcess(import.meta.url, './limiter.process.ts', node),
    );
    await Promise.all(nodes.map((each) => each.next()));
    const began = await seconds();
    const results = nodes.map((each) => each.next<{ passed: number }>());
    for (const each of nodes) each.send('go');
    const passed = (await Promise.all(results)).map((each) => each.passed);
    const lasted = (await seconds()) - began;
    const sum = passed.reduce((total, each) => total + each, 0);
    expect(sum).toBeGreaterThanOrEqual(limits.burst * limits.keys.length);
    expect(sum).toBeLessThanOrEqual(limits.keys.length * (limits.burst + limits.rate * lasted + extra));
  });

  /** By the clock that the limiter counts by. */
  async function seconds(): Promise<number> {
    const [whole, micros] = await redis.time();
    return Number(whole) + Number(micros) / 1e6;
  }
});

describe('a server that dies and comes back', () => {
  it('is shared again as soon as it answers, and calls that waited are served', async () => {
    const server = await startRedisServer(redisFolder());
    const client = new Redis(server.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    onTestFinished(() => client.disconnect());
    client.on('error', () => undefined);
    await heard(client, 'ready');
    const told: boolean[] = [];
    const limiter = redisRateLimiter(client, {
      name: 'outage',
      maxTransitionsPerSecond: 1,
      // Not full again however long the server takes to start.
      burstCapacity: 1_000,
      whenUnavailable: 'closed',
      storeTimeout: 60_000,
      retryInterval: 20,
      onAvailability: ({ available }) => told.push(available),
    });
    await limiter.acquire('key', 1_000);
    const gone = heard(client, 'close');
    await server.stop('SIGKILL');
    await gone;
    expect(await limiter.tryAcquire('other')).toBe(false);
    const served = limiter.acquire('other');
    await server.start();
    await served;
    expect(told).toEqual([false, true]);
    // What it had acknowledged, it kept.
    expect((await limiter.peek('key')).tokens).toBeLessThan(1_000);
  });
});
