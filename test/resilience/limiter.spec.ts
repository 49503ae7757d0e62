import {
  RateLimitExceededError,
  rateLimiter,
  type RateLimitRejection,
} from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { SetClock, turns } from './support.js';

describe('the bucket', () => {
  it('lets a burst through, then the rate', () => {
    const clock = new SetClock();
    const limiter = rateLimiter({ clock });
    const through = () => Array.from({ length: 400 }, () => limiter.tryAcquire('a')).filter(Boolean).length;
    expect(through()).toBe(150);
    clock.at += 1_000;
    expect(through()).toBe(100);
    clock.at += 3_600_000;
    expect(through()).toBe(150);
    expect(limiter.statistics()).toMatchObject({ allowed: 400, refused: 800, keys: 1 });
  });

  it.each([
    [100, 37, 8_640_000],
    [1 / 3, 7, 28_800],
    [0.7, 13, 60_480],
    [5 / 60, 17, 7_200],
    [12.34, 41, 1_066_176],
    [1 / 86_400, 997, 1],
  ])('at %d a second, looked at every %d ms, holds %d after 24 hours', (rate, stepMs, tokens) => {
    const clock = new SetClock();
    const limiter = rateLimiter({
      maxTransitionsPerSecond: rate,
      burstCapacity: tokens + 1,
      clock,
    });
    limiter.tryAcquire('a', tokens + 1);
    // Each look writes the level: whatever rounding lost would be lost millions of times.
    for (; clock.at < 86_400_000; clock.at += stepMs) limiter.tryAcquire('a', tokens + 1);
    clock.at = 86_400_000;
    expect(limiter.peek('a').tokens).toBe(tokens);
  });

  it('hands out in steps where it is told to', () => {
    const clock = new SetClock();
    const limiter = rateLimiter({
      maxTransitionsPerSecond: 10,
      burstCapacity: 20,
      refill: 'stepped',
      refillInterval: 500,
      clock,
    });
    limiter.tryAcquire('a', 20);
    clock.at = 499;
    expect(limiter.peek('a')).toMatchObject({ tokens: 0, retryAfterMs: 1 });
    clock.at = 500;
    expect(limiter.peek('a').tokens).toBe(5);
    expect(limiter.retryAfterMs('a', 6)).toBe(500);
  });

  it('credits nothing twice when the clock goes back, and goes on from there', () => {
    const clock = new SetClock();
    clock.at = 10_000;
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 2, clock });
    limiter.tryAcquire('a', 2);
    clock.at = 1_000;
    expect(limiter.tryAcquire('a')).toBe(false);
    clock.at = Number.NaN;
    expect(limiter.tryAcquire('a')).toBe(false);
    clock.at = 1_999;
    expect(limiter.tryAcquire('a')).toBe(false);
    clock.at = 2_000;
    expect(limiter.tryAcquire('a')).toBe(true);
    expect(limiter.tryAcquire('a')).toBe(false);
  });

  it('is filled by reset, for one key or for all', () => {
    const limiter = rateLimiter({ burstCapacity: 1, clock: new SetClock() });
    const through = () => ['a', 'b', undefined].map((key) => limiter.tryAcquire(key));
    expect(through()).toEqual([true, true, true]);
    limiter.reset('a');
    expect(through()).toEqual([true, false, false]);
    limiter.reset();
    expect(through()).toEqual([true, true, true]);
  });
});

describe('a refusal', () => {
  it('is an error where that is wanted, and says when to come again', () => {
    const clock = new SetClock();
    const seen: RateLimitRejection[] = [];
    const limiter = rateLimiter({
      maxTransitionsPerSecond: 4,
      burstCapacity: 1,
      throwWhenExceeded: true,
      onRateLimitExceeded: (rejection) => seen.push(rejection),
      clock,
    });
    limiter.tryAcquire('a');
    const refused = (() => {
      try {
        return limiter.tryAcquire('a');
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toBeInstanceOf(RateLimitExceededError);
    expect(refused).toMatchObject({ key: 'a', cost: 1, retryAfterMs: 250, reason: 'empty', retryable: true });
    expect(seen).toEqual([{ key: 'a', trigger: undefined, cost: 1, retryAfterMs: 250 }]);
    clock.at += 250;
    expect(limiter.tryAcquire('a')).toBe(true);
  });

  it('concerns the monitored triggers only', () => {
    const seen: RateLimitRejection[] = [];
    const limiter = rateLimiter({
      burstCapacity: 1,
      monitoredTriggers: ['PAY'],
      onRateLimitExceeded: (rejection) => seen.push(rejection),
      clock: new SetClock(),
    });
    const fired = ['PAY', 'PAY', 'LOOK', 'LOOK'].map((trigger) => limiter.tryTrigger(trigger));
    expect(fired).toEqual([true, false, true, true]);
    expect(seen).toMatchObject([{ trigger: 'PAY', key: 'PAY' }]);
    expect(limiter.statistics()).toMatchObject({ unmonitored: 2, allowed: 1, refused: 1 });
  });
});

describe('acquire', () => {
  it('serves a key first come, first served; nobody overtakes', async () => {
    const clock = new VirtualClock();
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 3, clock });
    const served: string[] = [];
    limiter.tryAcquire('a', 3);
    void limiter.acquire('a', 3).then(() => served.push('first'));
    void limiter.acquire('a', 1).then(() => served.push('second'));
    await clock.advance(2_999);
    expect([served, limiter.tryAcquire('a', 1), limiter.tryAcquire('b', 1)]).toEqual([[], false, true]);
    await clock.advance(1);
    expect(served).toEqual(['first']);
    await clock.advance(1_000);
    expect([served, clock.scheduled]).toEqual([['first', 'second'], 0]);
    expect(limiter.statistics()).toMatchObject({ waited: 2, waiting: 0 });
  });

  it('takes nothing for a wait that is aborted, and lets the next one come forward', async () => {
    const clock = new VirtualClock();
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 5, clock });
    limiter.tryAcquire('a', 5);
    const abort = new AbortController();
    const aborted = limiter.acquire('a', 5, abort.signal);
    let served = false;
    void limiter.acquire('a', 1).then(() => (served = true));
    await clock.advance(1_000);
    expect(served).toBe(false);
    abort.abort(new Error('no longer wanted'));
    await expect(aborted).rejects.toThrow('no longer wanted');
    await turns();
    expect([served, limiter.peek('a').tokens]).toEqual([true, 0]);
    await expect(limiter.acquire('b', 1, abort.signal)).rejects.toThrow('no longer wanted');
    expect(limiter.statistics()).toMatchObject({ cancelled: 1, waiting: 0, keys: 1 });
  });

  it('refuses at once what would find the queue full', async () => {
    const clock = new VirtualClock();
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 1, maxQueue: 1, clock });
    limiter.tryAcquire('a');
    limiter.tryAcquire('b');
    const first = limiter.acquire('a');
    await expect(limiter.acquire('b')).rejects.toMatchObject({ reason: 'queue-full', retryAfterMs: 1_000 });
    await clock.advance(1_000);
    await first;
    await limiter.acquire('b');
    expect(limiter.statistics()).toMatchObject({ refused: 1, waited: 1, allowed: 4 });
  });

  it('refuses at once what would wait too long', async () => {
    const clock = new VirtualClock();
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 1, maxWait: 2_000, clock });
    limiter.tryAcquire('a');
    const served = [limiter.acquire('a'), limiter.acquire('a')];
    await expect(limiter.acquire('a')).rejects.toMatchObject({
      reason: 'wait-too-long',
      retryAfterMs: 3_000,
    });
    await clock.advance(2_000);
    await Promise.all(served);
    expect(limiter.statistics()).toMatchObject({ refused: 1, waited: 2, waiting: 0 });
  });

  it('goes on when the bucket is filled from outside', async () => {
    const limiter = rateLimiter({ burstCapacity: 1, clock: new VirtualClock() });
    await limiter.acquire('a');
    const [one, all] = [limiter.acquire('a'), limiter.acquire('a')];
    limiter.reset('a');
    await one;
    limiter.reset();
    await all;
    expect(limiter.statistics()).toMatchObject({ waited: 2, waiting: 0 });
  });
});

describe('memory', () => {
  it('is bounded, and forgetting full buckets costs nobody a token', () => {
    const clock = new SetClock();
    const limiter = rateLimiter({ maxKeys: 1_000, clock });
    let refused = 0;
    for (let at = 0; at < 200_000; at += 1) {
      clock.at += 0.1;
      if (!limiter.tryAcquire(`key-${at}`)) refused += 1;
    }
    expect(refused).toBe(0);
    expect(limiter.statistics()).toMatchObject({ keys: 1_000, forgotten: 199_000, forgottenEarly: 0 });
    expect(limiter.peek('never seen').tokens).toBe(150);
  });

  it('is bounded by less for new keys, never by more for old ones, when no bucket is full', () => {
    const clock = new SetClock();
    const limiter = rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: 10, maxKeys: 10, clock });
    for (let key = 0; key < 10; key += 1) limiter.tryAcquire(`drained-${key}`, 10);
    expect(limiter.tryAcquire('new')).toBe(false);
    expect(limiter.statistics()).toMatchObject({ keys: 10, forgotten: 1, forgottenEarly: 1 });
    clock.at += 10_000;
    expect(limiter.tryAcquire('newer', 10)).toBe(true);
  });
});
