import { describe, expect, it } from 'vitest';
import { ResilienceOptionError } from '../errors.js';
import type { RateLimiterOptions } from './limiter-options.js';
import { rateLimiter } from './rate-limiter.js';

const refused: readonly [RateLimiterOptions, string][] = [
  [{ maxTransitionsPerSecond: 0 }, 'maxTransitionsPerSecond'],
  [{ maxTransitionsPerSecond: -1 }, 'maxTransitionsPerSecond'],
  [{ maxTransitionsPerSecond: Number.NaN }, 'maxTransitionsPerSecond'],
  [{ maxTransitionsPerSecond: Infinity }, 'maxTransitionsPerSecond'],
  [{ maxTransitionsPerSecond: 1e-9 }, 'maxTransitionsPerSecond'],
  [{ maxTransitionsPerSecond: '5' as never }, 'maxTransitionsPerSecond'],
  [{ burstCapacity: 0.5 }, 'burstCapacity'],
  [{ burstCapacity: 1e15 }, 'burstCapacity'],
  [{ burstCapacity: Infinity }, 'burstCapacity'],
  [{ refillInterval: 0 }, 'refillInterval'],
  [{ refillInterval: 1e300 }, 'refillInterval'],
  [{ refill: 'sometimes' as never }, 'refill'],
  [{ maxKeys: 0 }, 'maxKeys'],
  [{ maxKeys: 1e9 }, 'maxKeys'],
  [{ maxKeyLength: 1.5 }, 'maxKeyLength'],
  [{ maxQueue: -1 }, 'maxQueue'],
  [{ maxWait: Number.NaN }, 'maxWait'],
];

describe('options of a rate limiter', () => {
  it.each(refused)('refuse %o', (options, option) => {
    const error = thrownBy(() => rateLimiter(options));
    expect(error).toBeInstanceOf(ResilienceOptionError);
    expect(error).toMatchObject({
      code: 'RESILIENCE_OPTION',
      option,
      value: options[option as keyof RateLimiterOptions],
    });
    expect(String(error)).toContain(`'${option}' must`);
  });

  it('have the defaults of the documents, also where undefined is given', () => {
    const limiter = rateLimiter({ burstCapacity: undefined } as never);
    expect(limiter.peek()).toMatchObject({ tokens: 150, capacity: 150, retryAfterMs: 0, queued: false });
  });

  it.each([0, -1, Number.NaN, Infinity, 151])('refuse a cost of %d at once', async (cost) => {
    const limiter = rateLimiter();
    expect(thrownBy(() => limiter.tryAcquire('a', cost))).toMatchObject({ option: 'cost', value: cost });
    await expect(limiter.acquire('a', cost)).rejects.toMatchObject({ option: 'cost' });
    expect(limiter.statistics()).toMatchObject({ allowed: 0, refused: 0, keys: 0 });
  });

  it('refuse a key of a megabyte in a message of less', async () => {
    const key = 'x'.repeat(1_048_576);
    const limiter = rateLimiter();
    const error = thrownBy(() => limiter.tryAcquire(key));
    expect(error).toMatchObject({ option: 'key', value: key });
    expect(String(error).length).toBeLessThan(300);
    await expect(limiter.acquire(key)).rejects.toMatchObject({ option: 'key' });
    expect(thrownBy(() => limiter.tryTrigger(key))).toMatchObject({ option: 'key' });
  });
});

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
