import {
  circuitBreaker,
  memoryBucketStore,
  rateLimiter,
  SharedRateLimiter,
  type Call,
} from '@nestjs-orchestrator/core/resilience';
import * as cockatiel from 'cockatiel';
import CircuitBreaker from 'opossum';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Result } from './measure.js';
import { sharedResilience } from './shared-resilience.js';

const ROUNDS = 150;
const CALLS = 2_000;

/** Breaker and limiter beside their peers, in one run. Figures are nanoseconds: less is better, and `ratio` is peer / ours. */
export async function* resilience(): AsyncGenerator<Result> {
  yield* breakers();
  yield* limiters();
  yield* allocations();
  yield* sharedResilience();
  if (process.argv.includes('--memory')) yield memory();
}

type Loop = () => Promise<void> | void;

/** Nanoseconds per call of each contestant, the best of many short rounds in which they take turns. */
async function fastest<K extends string>(contestants: Readonly<Record<K, Loop>>): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[];
  const best = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<K, number>;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) {
      const started = performance.now();
      await contestants[name]();
      best[name] = Math.min(best[name], ((performance.now() - started) * 1e6) / CALLS);
    }
  }
  return best;
}

const awaited =
  (call: () => PromiseLike<unknown>): Loop =>
  async () => {
    for (let at = 0; at < CALLS; at += 1) await call();
  };

async function* breakers(): AsyncGenerator<Result> {
  const work = async (): Promise<number> => 1;
  const ours = circuitBreaker();
  const slow = circuitBreaker({ slowCallDuration: 1_000, slowCallRatio: 0.5 });
  const theirs = new CircuitBreaker(work, { timeout: false });
  const sampling = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 30_000,
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
  });
  const best = await fastest({
    bare: awaited(() => work()),
    ours: awaited(() => ours.execute(work)),
    slow: awaited(() => slow.execute(work)),
    opossum: awaited(() => theirs.fire()),
    cockatiel: awaited(() => sampling.execute(work)),
  });
  theirs.shutdown();
  const over = best.ours - best.bare;
  yield line('closed breaker over the bare call', over, best.cockatiel - best.bare, 'cockatiel');
  yield line('closed breaker over the bare call', over, best.opossum - best.bare, 'opossum');
  yield line('closed breaker over the bare call', over, 60, 'limit of 60 ns');
  yield line(
    'closed breaker that looks for slow calls',
    best.slow - best.bare,
    best.cockatiel - best.bare,
    'cockatiel',
  );
}

async function* limiters(): AsyncGenerator<Result> {
  const ours = rateLimiter({ maxTransitionsPerSecond: 1e9, burstCapacity: 1e8 });
  const keys = Array.from({ length: 1_000 }, (_, at) => `tenant-${at}`);
  const theirs = new RateLimiterMemory({ points: 1e15, duration: 1 });
  let read = 0;
  const best = await fastest({
    clock: () => {
      for (let at = 0; at < CALLS; at += 1) read += performance.now();
    },
    ours: () => {
      for (let at = 0; at < CALLS; at += 1) ours.tryAcquire('tenant');
    },
    many: () => {
      for (let at = 0; at < CALLS; at += 1) ours.tryAcquire(keys[at % keys.length]);
    },
    flexible: awaited(() => theirs.consume('tenant')),
    flexibleMany: async () => {
      for (let at = 0; at < CALLS; at += 1) await theirs.consume(keys[at % keys.length] as string);
    },
  });
  if (ours.statistics().refused > 0 || read === 0) throw new Error('the limiter was not on its allowed path');
  yield line('tryAcquire, one key', best.ours, best.flexible, 'rate-limiter-flexible, memory');
  yield line('tryAcquire, 1000 keys', best.many, best.flexibleMany, 'rate-limiter-flexible, memory');
  yield line('tryAcquire, one key', best.ours, 50, 'limit of 50 ns');
  yield line('tryAcquire, one key', best.ours, best.clock, 'one reading of the clock');
}

const MANY = 1_000_000;

/** Bytes of heap per call over a million calls; no collection may come in between. The peer is the same loop without us. */
async function* allocations(): AsyncGenerator<Result> {
  const limiter = rateLimiter({ maxTransitionsPerSecond: 1e9, burstCapacity: 1e8, clock: stillClock });
  const breaker = circuitBreaker({ clock: stillClock });
  const settled = Promise.resolve(1);
  const work: Call<number> = () => settled;
  const allowed = (): void => {
    for (let at = 0; at < MANY; at += 1) limiter.tryAcquire('tenant');
  };
  const nothing = (): void => {
    for (let at = 0; at < MANY; at += 1) void work(undefined);
  };
  const closed = async (): Promise<void> => {
    for (let at = 0; at < MANY / 100; at += 1) await breaker.execute(work);
  };
  const then = async (): Promise<void> => {
    for (let at = 0; at < MANY / 100; at += 1) await work(undefined).then(same, thrown);
  };
  const [ours, empty] = [await bytes(allowed, MANY), await bytes(nothing, MANY)];
  yield {
    name: 'heap per tryAcquire',
    ours,
    peer: empty,
    peerName: 'an empty loop',
    ratio: 1,
    unit: 'bytes',
  };
  yield { ...(await leasedHeap()), peer: empty, peerName: 'an empty loop' };
  const [mine, bare] = [await bytes(closed, MANY / 100), await bytes(then, MANY / 100)];
  const ratio = Number((bare / mine).toPrecision(3));
  yield {
    name: 'heap per closed call',
    ours: mine,
    peer: bare,
    peerName: 'a bare .then()',
    ratio,
    unit: 'bytes',
  };
}

/** The allowed path of a shared limiter whose lease holds tokens for all calls: what is fetched comes in turns, and there is none in the loop. */
async function leasedHeap(): Promise<Omit<Result, 'peer' | 'peerName'>> {
  const lease = { tokens: 16 * MANY, duration: 1e12 };
  const limits = { maxTransitionsPerSecond: 1e9, burstCapacity: 1e8, clock: stillClock };
  const limiter = new SharedRateLimiter(memoryBucketStore(stillClock), { name: 'leased', lease, ...limits });
  for (let at = 0; at < 16 * MANY; at += 1) {
    const passed = limiter.tryAcquire('tenant');
    if (passed !== true) await passed;
    else if (at % 1_000 === 0) await Promise.resolve();
  }
  const { storeCalls } = limiter.statistics();
  const ours = await bytes(() => {
    for (let at = 0; at < MANY; at += 1) void limiter.tryAcquire('tenant');
  }, MANY);
  const asked = limiter.statistics().storeCalls - storeCalls;
  if (asked > 10) throw new Error(`the limiter was not on its leased path: it asked ${asked} times`);
  return { name: 'heap per tryAcquire by lease', ours, ratio: 1, unit: 'bytes' };
}

/** A clock that costs nothing, so that only what is ours shows. */
const stillClock = {
  now: () => 1,
  monotonic: () => 1,
  storeNow: () => 1,
  schedule: () => ({ cancel() {} }),
};

const same = (value: number): number => value;
const thrown = (error: unknown): never => {
  throw error;
};

async function bytes(loop: Loop, calls: number): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    global.gc?.();
    const before = process.memoryUsage().heapUsed;
    await loop();
    least = Math.min(least, Math.max(0, process.memoryUsage().heapUsed - before) / calls);
  }
  return Number(least.toFixed(2));
}

/** Heap and tables after ten million distinct keys; the peer is the same limiter after as many keys as it may remember. */
function memory(): Result {
  const limiter = rateLimiter();
  const used = (from: number, to: number): number => {
    for (let at = from; at < to; at += 1) limiter.tryAcquire(`key-${at}`);
    global.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const filled = used(0, 100_000);
  const after = used(100_000, 10_000_000);
  if (limiter.statistics().keys !== 100_000) throw new Error('the limiter remembers more keys than it may');
  const peerName = 'after 100 000 keys';
  const [ours, peer] = [after / 1e6, filled / 1e6].map((value) => Number(value.toPrecision(3))) as [
    number,
    number,
  ];
  return {
    name: 'memory after 10 million keys',
    ours,
    peer,
    peerName,
    ratio: Number((peer / ours).toPrecision(3)),
    unit: 'MB',
  };
}

function line(name: string, ours: number, peer: number, peerName: string): Result {
  const [mine, theirs] = [Math.max(ours, 0.1), peer].map((value) => Number(value.toPrecision(3))) as [
    number,
    number,
  ];
  return {
    name,
    ours: mine,
    peer: theirs,
    peerName,
    ratio: Number((theirs / mine).toPrecision(3)),
    unit: 'ns',
  };
}
