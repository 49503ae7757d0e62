import {
  memoryBucketStore,
  RateLimitExceededError,
  ResilienceOptionError,
  SharedRateLimiter,
  type SharedBucketStore,
  type SharedRateLimiterOptions,
  type StoreAvailability,
} from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

/** A store that the test takes away and gives back, and that counts its calls. */
class FragileStore implements SharedBucketStore {
  readonly inner: SharedBucketStore;
  gone = false;
  silent = false;
  calls = 0;

  constructor(clock: VirtualClock) {
    this.inner = memoryBucketStore(clock);
  }

  take: SharedBucketStore['take'] = (...question) => this.reached(() => this.inner.take(...question));
  fill: SharedBucketStore['fill'] = (...question) => this.reached(() => this.inner.fill(...question));

  private reached<T>(ask: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.silent) return new Promise(() => {});
    return this.gone ? Promise.reject(new Error('connection lost')) : ask();
  }
}

function stage(options: Partial<SharedRateLimiterOptions> = {}) {
  const clock = new VirtualClock();
  const store = new FragileStore(clock);
  const node = (): SharedRateLimiter =>
    new SharedRateLimiter(store, {
      name: 'calls',
      maxTransitionsPerSecond: 10,
      burstCapacity: 3,
      clock,
      ...options,
    });
  return { clock, store, node, limiter: node() };
}

async function burst(limiter: SharedRateLimiter, calls: number, key?: string): Promise<number> {
  let passed = 0;
  for (let at = 0; at < calls; at += 1) if (await limiter.tryAcquire(key)) passed += 1;
  return passed;
}

describe('a shared limiter', () => {
  it('lets all nodes together have the limit', async () => {
    const { node, clock } = stage();
    const nodes = [node(), node(), node()];
    const passed = await Promise.all(
      [...nodes, ...nodes].map(async (each): Promise<boolean> => each.tryAcquire('a')),
    );
    expect(passed.filter(Boolean)).toHaveLength(3);
    await clock.advance(200);
    expect(await burst(node(), 5, 'a')).toBe(2);
    expect(await burst(node(), 5, 'b')).toBe(3);
  });

  it('asks the store once for all calls of one turn', async () => {
    const { limiter, store } = stage();
    const passed = await Promise.all(
      ['a', 'b', 'a', 'a', 'a', 'b'].map(async (key) => limiter.tryAcquire(key)),
    );
    expect(passed).toEqual([true, true, true, true, false, true]);
    expect(store.calls).toBe(1);
  });

  it('gives out exactly what came in over 24 hours of thirds', async () => {
    const { limiter, clock } = stage({ maxTransitionsPerSecond: 1 / 3, burstCapacity: 1 });
    let passed = 0;
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      for (let third = 0; third < 20; third += 1) {
        await clock.advance(2_999);
        passed += await burst(limiter, 1);
        await clock.advance(1);
        passed += await burst(limiter, 1);
      }
    }
    expect(passed).toBe(28_800);
  });

  it('serves those that wait first come, first served', async () => {
    const { limiter, clock } = stage();
    expect(await burst(limiter, 3)).toBe(3);
    const served: string[] = [];
    const calls = ['first', 'second', 'third'].map((name, at) =>
      limiter.acquire(undefined, at === 1 ? 2 : 1).then(() => served.push(name)),
    );
    await clock.advance(100);
    expect(served).toEqual(['first']);
    expect(await limiter.tryAcquire()).toBe(false);
    await clock.advance(299);
    expect(served).toEqual(['first', 'second']);
    await clock.advance(1);
    await Promise.all(calls);
    expect(served).toEqual(['first', 'second', 'third']);
    expect(limiter.statistics()).toMatchObject({ waited: 3, waiting: 0, allowed: 6, refused: 1 });
  });

  it('refuses a wait that would be too long, one too many, and one that became too long', async () => {
    const { limiter, node, clock } = stage({ maxQueue: 2, maxWait: 250 });
    await burst(limiter, 3);
    const error = { code: 'RATE_LIMIT_EXCEEDED' };
    await expect(limiter.acquire('', 3)).resolves.toBeUndefined();
    await expect(limiter.acquire(undefined, 3)).rejects.toMatchObject({
      ...error,
      reason: 'wait-too-long',
      retryAfterMs: 300,
    });
    const [one, two] = [limiter.acquire(), limiter.acquire()];
    await clock.settled();
    await expect(limiter.acquire()).rejects.toMatchObject({
      ...error,
      reason: 'queue-full',
      retryAfterMs: 300,
    });
    const lost = expect(two).rejects.toMatchObject({ ...error, reason: 'wait-too-long' });
    await clock.advance(100);
    await one;
    for (let step = 0; step < 5; step += 1) {
      await clock.advance(30);
      await node().tryAcquire(undefined, 0.3);
    }
    await lost;
  });

  it('ends a wait by its signal, and serves the next one', async () => {
    const { limiter, clock } = stage();
    await burst(limiter, 3);
    const abort = new AbortController();
    const gone = expect(limiter.acquire(undefined, 3, abort.signal)).rejects.toThrow('changed my mind');
    const next = limiter.acquire();
    await clock.advance(100);
    abort.abort(new Error('changed my mind'));
    await gone;
    await next;
    expect(limiter.statistics()).toMatchObject({ cancelled: 1, waiting: 0 });
  });

  it('fills one bucket or all of them for every node, and serves those that wait', async () => {
    const { limiter, node } = stage();
    await burst(limiter, 3, 'a');
    await burst(limiter, 3, 'b');
    const waiting = limiter.acquire('a', 3);
    await limiter.reset('a');
    await waiting;
    expect(await node().peek('b')).toEqual({ tokens: 0, capacity: 3, retryAfterMs: 100, queued: false });
    await limiter.reset();
    expect(await node().peek('b')).toMatchObject({ tokens: 3, retryAfterMs: 0 });
  });

  it('tells a refusal as the local one does', async () => {
    const told: unknown[] = [];
    const { limiter } = stage({
      throwWhenExceeded: true,
      monitoredTriggers: ['PAY'],
      onRateLimitExceeded: (rejection) => told.push(rejection),
    });
    await burst(limiter, 3, 'PAY');
    expect(await limiter.tryTrigger('LOOK', 'PAY')).toBe(true);
    await expect(limiter.tryTrigger('PAY')).rejects.toBeInstanceOf(RateLimitExceededError);
    expect(told).toEqual([{ key: 'PAY', trigger: 'PAY', cost: 1, retryAfterMs: 100 }]);
    expect(() => limiter.tryAcquire('a', 4)).toThrow(ResilienceOptionError);
    expect(() => limiter.tryAcquire('k'.repeat(1_025))).toThrow(ResilienceOptionError);
  });
});

describe('leases', () => {
  const leased = { maxTransitionsPerSecond: 1_000, burstCapacity: 1_000, lease: { tokens: 100 } };

  it('answer a hot key without asking the store, more of it the hotter it is', async () => {
    const { limiter, store } = stage(leased);
    expect(await burst(limiter, 500)).toBe(500);
    const { leased: byLease, allowed } = limiter.statistics();
    expect({ allowed, total: 500 }).toEqual({ allowed: 500, total: 500 });
    expect(byLease).toBeGreaterThan(450);
    expect(store.calls).toBeLessThan(25);
  });

  it('leave a key that is seldom used to others', async () => {
    const { limiter, node, clock } = stage({ ...leased, maxTransitionsPerSecond: 10, burstCapacity: 10 });
    const rare = [limiter, node(), node()];
    for (let second = 0; second < 20; second += 1) {
      for (const each of rare) expect(await each.tryAcquire('key')).toBe(true);
      await clock.advance(3_000);
    }
  });

  it('are dropped when nobody asks', async () => {
    const { limiter, clock } = stage(leased);
    await burst(limiter, 100);
    await clock.advance(10_000);
    expect(clock.scheduled).toBe(0);
    const calls = limiter.statistics().storeCalls;
    await burst(limiter, 1);
    expect(limiter.statistics().storeCalls).toBeGreaterThan(calls);
  });

  it('are remembered for no more keys than maxKeys', async () => {
    const { limiter } = stage({ ...leased, maxKeys: 50 });
    for (let key = 0; key < 1_000; key += 1) await limiter.tryAcquire(`key-${key}`);
    expect(limiter.statistics()).toMatchObject({ leases: 50, allowed: 1_000 });
  });

  it('do not ask again for what the store has just refused', async () => {
    const { limiter, clock, store } = stage({
      ...leased,
      maxTransitionsPerSecond: 1,
      burstCapacity: 2,
      lease: { tokens: 1 },
    });
    await burst(limiter, 10);
    const { calls } = store;
    expect(await burst(limiter, 100)).toBe(0);
    expect(store.calls).toBe(calls);
    await clock.advance(1_000);
    expect(await burst(limiter, 2)).toBe(1);
  });
});

describe('while the store is gone', () => {
  const told: StoreAvailability[] = [];
  const watched = { storeTimeout: 50, onAvailability: (change: StoreAvailability) => told.push(change) };

  it("'local' keeps the whole limit by itself, and shares again as soon as the store is back", async () => {
    told.length = 0;
    const { limiter, store, clock } = stage({ ...watched, whenUnavailable: 'local' });
    await burst(limiter, 2);
    store.gone = true;
    expect(await burst(limiter, 5)).toBe(3);
    expect(store.calls).toBe(3);
    store.gone = false;
    await clock.advance(1_000);
    expect(await burst(limiter, 5)).toBe(3);
    expect(limiter.statistics()).toMatchObject({ available: true, withoutStore: 5, storeFailures: 1 });
    expect(told).toEqual([{ available: false, error: new Error('connection lost') }, { available: true }]);
  });

  it("'open' lets all pass, 'closed' none, and says when to come again", async () => {
    const open = stage({ ...watched, whenUnavailable: 'open' });
    open.store.gone = true;
    expect(await burst(open.limiter, 50)).toBe(50);

    const closed = stage({ ...watched, whenUnavailable: 'closed', throwWhenExceeded: true });
    closed.store.gone = true;
    const refusal = { reason: 'store-unavailable', retryAfterMs: 1_000 };
    await expect(closed.limiter.tryAcquire()).rejects.toMatchObject(refusal);
    const waiting = closed.limiter.acquire();
    await closed.clock.advance(999);
    closed.store.gone = false;
    expect(closed.limiter.statistics()).toMatchObject({ waiting: 1, available: false });
    await closed.clock.advance(1);
    await waiting;
    expect(closed.limiter.statistics()).toMatchObject({ waiting: 0, available: true });
  });

  it('a store that does not answer is gone after storeTimeout', async () => {
    told.length = 0;
    const { limiter, store, clock } = stage({ ...watched, whenUnavailable: 'open' });
    store.silent = true;
    const answer = limiter.tryAcquire();
    await clock.advance(50);
    expect(await answer).toBe(true);
    expect(told).toMatchObject([
      { available: false, error: { code: 'SHARED_STORE_TIMEOUT', timeoutMs: 50 } },
    ]);
    const reset = expect(limiter.reset()).rejects.toMatchObject({ code: 'SHARED_STORE_TIMEOUT' });
    await clock.advance(50);
    await reset;
  });
});

describe('options of a shared limiter', () => {
  const store = memoryBucketStore();
  it.each([
    ['name', { name: '' }],
    ['name', { name: '{a}' }],
    ['lease.tokens', { lease: { tokens: 0 } }],
    ['lease.duration', { lease: { tokens: 1, duration: Number.NaN } }],
    ['whenUnavailable', { whenUnavailable: 'sometimes' }],
    ['storeTimeout', { storeTimeout: 0 }],
    ['retryInterval', { retryInterval: -1 }],
    ['refill', { refill: 'stepped' }],
    ['burstCapacity', { burstCapacity: 0 }],
  ])('%s is refused in %o', (option, wrong) => {
    const options = { name: 'n', ...wrong } as SharedRateLimiterOptions;
    expect(() => new SharedRateLimiter(store, options)).toThrow(expect.objectContaining({ option }));
  });
});
