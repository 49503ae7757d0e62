import {
  bulkhead,
  BulkheadFullError,
  CallTimeoutError,
  circuitBreaker,
  fallback,
  FallbackFailedError,
  policy,
  retry,
  RetryBudget,
  timeout,
  type Backoff,
} from '@nestjs-orchestrator/core/resilience';
import { seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { deferred, turns } from './support.js';

const never = () => new Promise<never>(() => {});
const failing = (times: number, error: unknown = new Error('broken')) => {
  let calls = 0;
  return async () => {
    calls += 1;
    if (calls <= times) throw error;
    return calls;
  };
};

describe('a bulkhead', () => {
  it('runs so many, queues so many, refuses the rest, and serves the queue in order', async () => {
    const slots = bulkhead({ maxConcurrent: 1, maxQueue: 2 });
    const first = deferred();
    const order: string[] = [];
    const abort = new AbortController();
    const running = slots.execute(() => first.promise);
    const gone = slots.execute(async () => order.push('gone'), abort.signal);
    const second = slots.execute(async () => order.push('second'));
    await expect(slots.execute(never)).rejects.toBeInstanceOf(BulkheadFullError);
    abort.abort(new Error('left the queue'));
    await expect(gone).rejects.toThrow('left the queue');
    const third = slots.execute(async () => order.push('third'));
    expect(slots.statistics()).toEqual({ running: 1, waiting: 2, refused: 1, cancelled: 1 });
    first.resolve();
    await Promise.all([running, second, third]);
    expect(order).toEqual(['second', 'third']);
    expect(slots.statistics()).toMatchObject({ running: 0, waiting: 0 });
  });

  it('gives the slot back when the call fails, also at once', async () => {
    const slots = bulkhead({ maxConcurrent: 1 });
    const atOnce = (): never => {
      throw new Error('at once');
    };
    await expect(slots.execute(atOnce)).rejects.toThrow('at once');
    await expect(slots.execute(failing(1))).rejects.toThrow('broken');
    await expect(slots.execute(async () => 'fine')).resolves.toBe('fine');
  });

  it.each([{ maxConcurrent: 0 }, { maxConcurrent: Infinity }, { maxQueue: -1 }, { maxQueue: Number.NaN }])(
    'refuses %o',
    (options) => {
      const [option] = Object.keys(options);
      expect(() => bulkhead(options)).toThrow(expect.objectContaining({ option }) as Error);
    },
  );
});

describe('a time-out', () => {
  it('aborts the signal, and rejects whether or not the call heeds it', async () => {
    const clock = new VirtualClock();
    let given: AbortSignal | undefined;
    const call = timeout(1_000, { clock }).execute((signal) => {
      given = signal;
      return never();
    });
    const error = call.catch((reason: unknown) => reason);
    await clock.advance(999);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    expect(await error).toBeInstanceOf(CallTimeoutError);
    expect(given?.reason).toBe(await error);
  });

  it('leaves nothing behind when the call settles, and follows the signal of the caller', async () => {
    const clock = new VirtualClock();
    const limit = timeout(1_000, { clock });
    await expect(limit.execute(async () => 'fine')).resolves.toBe('fine');
    const abort = new AbortController();
    const call = limit.execute(never, abort.signal);
    abort.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    expect(clock.scheduled).toBe(0);
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses %d ms', (ms) => {
    expect(() => timeout(ms)).toThrow(expect.objectContaining({ option: 'timeoutMs', value: ms }) as Error);
  });
});

describe('retry', () => {
  const delays = async (backoff: Backoff, attempts = 6): Promise<number[]> => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const again = retry({
      maxAttempts: attempts,
      backoff,
      clock,
      random: seededRandom(7),
      onRetry: ({ delayMs }) => seen.push(delayMs),
    });
    const ended = again.execute(failing(attempts - 1));
    await clock.runAll();
    expect(await ended).toBe(attempts);
    return seen;
  };

  it('waits a fixed or a growing time', async () => {
    expect(await delays({ kind: 'fixed', delay: 50 })).toEqual([50, 50, 50, 50, 50]);
    expect(await delays({ kind: 'exponential', delay: 100, maxDelay: 500 })).toEqual([
      100, 200, 400, 500, 500,
    ]);
  });

  it('waits a random time between the least and three times the last', async () => {
    const waits = await delays({ kind: 'decorrelated-jitter', delay: 100, maxDelay: 1_000 }, 60);
    const inBounds = waits.filter(
      (wait, at) => wait >= 100 && wait <= Math.min(1_000, (waits[at - 1] ?? 100) * 3),
    );
    expect(inBounds).toHaveLength(59);
    expect(new Set(waits).size).toBeGreaterThan(15);
  });

  it('gives up after the last attempt, and at once on what is not worth another', async () => {
    const clock = new VirtualClock();
    const again = retry({ maxAttempts: 2, backoff: { kind: 'fixed', delay: 1 }, clock });
    const ended = again.execute(failing(2)).catch(String);
    await clock.runAll();
    expect(await ended).toBe('Error: broken');
    const final = Object.assign(new Error('final'), { retryable: false });
    await expect(again.execute(failing(1, final))).rejects.toBe(final);
    const picky = retry({ retryable: (error) => error instanceof RangeError, clock });
    await expect(picky.execute(failing(1))).rejects.toThrow('broken');
  });

  it('ends its wait when the signal aborts', async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const ended = retry({ clock }).execute(failing(1), abort.signal);
    await turns();
    abort.abort(new Error('gone'));
    await expect(ended).rejects.toThrow('gone');
    expect(clock.scheduled).toBe(0);
  });

  it('does not multiply the load beyond its budget', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget({ ratio: 0.1, capacity: 5, perSecond: 0.001, clock });
    let calls = 0;
    const again = retry({ maxAttempts: 10, backoff: { kind: 'fixed', delay: 1 }, budget, clock });
    const broken = async (): Promise<never> => {
      calls += 1;
      throw new Error('down');
    };
    for (let at = 0; at < 100; at += 1) {
      const ended = again.execute(broken).catch(() => {});
      await clock.runAll();
      await ended;
    }
    // 100 calls, 5 retries saved, 1 of the trickle, one earned by every ten calls.
    expect(calls).toBeGreaterThanOrEqual(114);
    expect(calls).toBeLessThanOrEqual(116);
  });

  it.each<[object, string]>([
    [{ maxAttempts: 0 }, 'maxAttempts'],
    [{ backoff: { kind: 'fixed', delay: -1 } }, 'delay'],
    [{ backoff: { kind: 'sometimes', delay: 1 } }, 'kind'],
    [{ backoff: { kind: 'exponential', delay: 10, maxDelay: 5 } }, 'maxDelay'],
    [{ backoff: { kind: 'exponential', delay: 10, factor: 0.5 } }, 'factor'],
    [{ backoff: { kind: 'decorrelated-jitter', delay: 10, maxDelay: Number.NaN } }, 'maxDelay'],
  ])('refuses %o', (options, option) => {
    expect(() => retry(options)).toThrow(expect.objectContaining({ option }) as Error);
  });

  it.each([{ ratio: -1 }, { capacity: 0 }, { perSecond: Number.NaN }])(
    'refuses a budget of %o',
    (options) => {
      expect(() => new RetryBudget(options)).toThrow(
        expect.objectContaining({ option: Object.keys(options)[0] }) as Error,
      );
    },
  );
});

describe('a fallback', () => {
  it('gives another value, and holds both errors when it fails as well', async () => {
    await expect(fallback(() => null).execute(failing(1))).resolves.toBeNull();
    const worse = new Error('worse');
    const error = await fallback(() => Promise.reject(worse))
      .execute(failing(1))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FallbackFailedError);
    expect(error).toMatchObject({ cause: worse, original: { message: 'broken' } });
  });

  it('lets pass what it is not for, and what its caller cancelled', async () => {
    const abort = new AbortController();
    const only = fallback(() => 'instead', { when: (error) => error instanceof RangeError });
    await expect(only.execute(failing(1))).rejects.toThrow('broken');
    abort.abort(new Error('gone'));
    await expect(fallback(() => 'instead').execute(never, abort.signal)).rejects.toThrow('gone');
  });
});

describe('a policy of many', () => {
  it('applies them from the outside in, and preserves types', async () => {
    const clock = new VirtualClock();
    const breaker = circuitBreaker({ consecutiveFailures: 2, clock });
    const guarded = policy(
      fallback(() => 'later' as const),
      retry({ maxAttempts: 5, backoff: { kind: 'fixed', delay: 10 }, clock }),
      breaker,
      timeout(100, { clock }),
    );
    let calls = 0;
    const answer = guarded.execute(async () => {
      calls += 1;
      return never();
    });
    await clock.runAll();
    const typed: 'later' = await answer;
    expect([typed, calls, breaker.state.kind]).toEqual(['later', 2, 'open']);
    const plain: Promise<number> = policy(breaker, bulkhead()).execute(async () => 1);
    await expect(plain).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    // @ts-expect-error -- the fallback's value is part of the result
    const wrong: Promise<number> = guarded.execute(async () => 1);
    await clock.runAll();
    await expect(wrong).resolves.toBe('later');
  });
});
