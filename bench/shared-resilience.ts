import { SharedCircuitBreaker } from '@nestjs-orchestrator/core/resilience';
import { RedisCircuitStore, redisRateLimiter } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { startRedisServer } from '../test/support/redis-server.js';
import { stoppedWithTheRun } from './ending.js';
import type { Result } from './measure.js';

const ROUNDS = 8;
const CALLS = 8_000;
const CALLERS = 100;
const LIMIT = { maxTransitionsPerSecond: 1e9, burstCapacity: 1e6 };

/** Limiter and breaker shared through Redis, beside rate-limiter-flexible on the same server, in one run. Figures are microseconds: less is better. */
export async function* sharedResilience(): AsyncGenerator<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const server = await startRedisServer(folder, { appendonly: 'no' });
  const redis = new Redis(server.url);
  const stop = stoppedWithTheRun(async () => {
    redis.disconnect();
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    yield* limiters(redis);
    yield await opening(redis);
    if (process.argv.includes('--memory')) yield* manyKeys(redis);
  } finally {
    await stop();
  }
}

const KEYS = 10_000_000;
const KEYS_AT_ONCE = 5_000;

/** Ten million keys, each asked for once: what Redis holds at most meanwhile, and when their buckets have filled again, which is when they expire. Every bucket is full after 100 ms. */
async function* manyKeys(redis: Redis): AsyncGenerator<Result> {
  const limiter = redisRateLimiter(redis, { name: 'many', maxTransitionsPerSecond: 10, burstCapacity: 1 });
  const before = await usedMegabytes(redis);
  const heap = process.memoryUsage().heapUsed;
  let [most, keys] = [before, 0];
  for (let at = 0; at < KEYS; at += KEYS_AT_ONCE) {
    await Promise.all(
      Array.from({ length: KEYS_AT_ONCE }, async (_, n) => limiter.tryAcquire(`key-${at + n}`)),
    );
    if (at % 500_000 > 0) continue;
    most = Math.max(most, await usedMegabytes(redis));
    keys = Math.max(keys, await redis.dbsize());
  }
  const { withoutStore, allowed } = limiter.statistics();
  if (withoutStore > 0 || allowed < KEYS)
    throw new Error(`only ${allowed} of ${KEYS} keys were counted in Redis`);
  global.gc?.();
  const own = (process.memoryUsage().heapUsed - heap) / 1e6;
  const left = await untilExpired(redis);
  yield memoryLine('Redis, most during 10 million keys', most - before, `all keys at once, ${keys} lived`);
  yield memoryLine('Redis, after they have expired', left - before, 'before them');
  yield memoryLine('this process, after 10 million shared keys', own, 'before them');
}

function memoryLine(name: string, megabytes: number, peerName: string): Result {
  return { name, ours: Number(megabytes.toPrecision(3)), peer: NaN, peerName, ratio: NaN, unit: 'MB' };
}

async function usedMegabytes(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? NaN) / 1e6;
}

/** A bench may wait; the server drops what has expired when it is asked for it or comes upon it. */
async function untilExpired(redis: Redis): Promise<number> {
  for (let seconds = 0; seconds < 60 && (await redis.dbsize()) > 1_000; seconds += 1)
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  return usedMegabytes(redis);
}

type Ask = (call: number) => unknown;

async function* limiters(redis: Redis): AsyncGenerator<Result> {
  const exact = redisRateLimiter(redis, { name: 'exact', ...LIMIT });
  const leased = redisRateLimiter(redis, { name: 'leased', ...LIMIT, lease: { tokens: 10_000 } });
  const theirs = new RateLimiterRedis({ storeClient: redis, points: 1e12, duration: 1 });
  const keys = Array.from({ length: 1_000 }, (_, at) => `tenant-${at}`);
  const keyOf = (call: number): string => keys[call % keys.length] as string;
  const best = await fastest({
    exact: () => exact.tryAcquire('tenant'),
    leased: () => leased.tryAcquire('tenant'),
    theirs: () => theirs.consume('tenant'),
    exactMany: (call) => exact.tryAcquire(keyOf(call)),
    theirsMany: (call) => theirs.consume(keyOf(call)),
  });
  const alone = { exact: () => exact.tryAcquire('tenant'), theirs: () => theirs.consume('tenant') };
  const one = await fastest(alone, 1, CALLS / 20);
  for (const limiter of [exact, leased]) {
    const { refused, withoutStore } = limiter.statistics();
    if (refused + withoutStore > 0) throw new Error('a limiter was not on its allowed path');
  }
  const peer = 'rate-limiter-flexible, Redis';
  const callers = `${CALLERS} callers`;
  yield line(`shared tryAcquire, one key, ${callers}`, best.exact, best.theirs, peer);
  yield line(`shared tryAcquire, 1000 keys, ${callers}`, best.exactMany, best.theirsMany, peer);
  yield line('shared tryAcquire, one key, 1 caller', one.exact, one.theirs, peer);
  yield line(`shared tryAcquire with leases, one key, ${callers}`, best.leased, best.theirs, peer);
}

/** Microseconds per call with many callers at a time, the best of some rounds in which the contestants take turns. */
async function fastest<K extends string>(
  contestants: Readonly<Record<K, Ask>>,
  callers = CALLERS,
  calls = CALLS,
): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[];
  const best = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<K, number>;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) {
      const ask = contestants[name];
      const started = performance.now();
      const share = calls / callers;
      await Promise.all(Array.from({ length: callers }, (_, caller) => asking(ask, caller * share, share)));
      best[name] = Math.min(best[name], ((performance.now() - started) * 1e3) / calls);
    }
  }
  return best;
}

async function asking(ask: Ask, from: number, calls: number): Promise<void> {
  for (let at = 0; at < calls; at += 1) await ask(from + at);
}

/** Milliseconds from the failure that opens a breaker on one node until it is open on another; the peer is what was asked for. */
async function opening(redis: Redis): Promise<Result> {
  let slowest = 0;
  const store = new RedisCircuitStore(redis);
  // Somebody always listens, so that the connection for messages stays.
  const first = new SharedCircuitBreaker(store, { name: 'first' });
  for (let round = 0; round < 21; round += 1) {
    let opened: () => void = () => {};
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const options = { name: `breaker-${round}`, consecutiveFailures: 1 };
    const one = new SharedCircuitBreaker(store, options);
    const other = new SharedCircuitBreaker(store, {
      ...options,
      onEvent: ({ to }) => {
        if (to === 'open') opened();
      },
    });
    await Promise.all([one.refresh(), other.execute(async () => undefined)]);
    const started = performance.now();
    await one.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
    await open;
    if (round > 0) slowest = Math.max(slowest, performance.now() - started);
    one.close();
    other.close();
  }
  first.close();
  return { ...line('open on another node, slowest of 20', slowest, 100, 'limit of 100 ms'), unit: 'ms' };
}

function line(name: string, ours: number, peer: number, peerName: string): Result {
  const [mine, theirs] = [ours, peer].map((value) => Number(value.toPrecision(3))) as [number, number];
  return {
    name,
    ours: mine,
    peer: theirs,
    peerName,
    ratio: Number((theirs / mine).toPrecision(3)),
    unit: 'µs',
  };
}
