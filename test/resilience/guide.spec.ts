import { seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';
// #region import
import {
  bulkhead,
  circuitBreaker,
  fallback,
  policy,
  rateLimiter,
  retry,
  timeout,
} from '@nestjs-orchestrator/core/resilience';
// #endregion import
import { redisCircuitBreaker, redisRateLimiter } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { redisNamespace } from '../support/redis.js';

const clock = new VirtualClock();
const random = seededRandom(1);

it('limits by key', async () => {
  // #region limiter
  const limiter = rateLimiter({ maxTransitionsPerSecond: 5, burstCapacity: 10, clock });

  const through = limiter.tryAcquire('tenant-1'); // at once: true or false
  await limiter.acquire('tenant-1', 2, AbortSignal.timeout(1_000)); // two tokens; waits in line for them if need be
  const { tokens, retryAfterMs } = limiter.peek('tenant-1');
  // #endregion limiter
  expect([through, tokens, retryAfterMs]).toEqual([true, 7, 0]);
});

it('shares a limit', async () => {
  const { url, prefix } = redisNamespace();
  const redis = new Redis(url);
  // #region shared
  const shared = redisRateLimiter(redis, {
    name: 'partner-api', // who has the same name and the same Redis shares the buckets
    prefix,
    maxTransitionsPerSecond: 100,
    burstCapacity: 200,
    lease: { tokens: 50 }, // most calls then ask nobody; leave it out for an exact limit
    whenUnavailable: 'local',
  });

  const passed = await shared.tryAcquire('tenant-1');
  // #endregion shared
  await redis.quit();
  expect(passed).toBe(true);
});

it('shares a breaker', async () => {
  const { url, prefix } = redisNamespace();
  const redis = new Redis(url);
  const charge = async (): Promise<string> => 'paid';
  // #region sharedBreaker
  const partner = redisCircuitBreaker(redis, { name: 'partner-api', prefix, halfOpenProbes: 3 });

  const answer = await partner.execute(() => charge());
  partner.close(); // at shutdown: it stops listening
  // #endregion sharedBreaker
  await redis.quit();
  expect(answer).toBe('paid');
});

it('breaks and falls back', async () => {
  const charge = async (_signal: AbortSignal | undefined): Promise<{ paid: boolean }> => {
    throw new Error('down');
  };
  // #region policy
  const payments = circuitBreaker({ name: 'payments', failureRatio: 0.5, breakDuration: 30_000, clock });
  const guarded = policy(
    fallback(() => 'try later' as const),
    retry({ maxAttempts: 3, backoff: { kind: 'decorrelated-jitter', delay: 100 }, clock, random }),
    payments,
    bulkhead({ maxConcurrent: 20, maxQueue: 100 }),
    timeout(2_000, { clock }),
  );
  const result = guarded.execute((signal) => charge(signal)); // Promise<{ paid: boolean } | 'try later'>
  // #endregion policy
  await clock.runAll();
  await expect(result).resolves.toBe('try later');
  expect(payments.statistics().failed).toBe(3);
});
