import { describe, expect, it } from 'vitest';
import type { CircuitBreakerOptions } from './breaker-options.js';
import { circuitBreaker } from './circuit-breaker.js';

const refused: readonly [CircuitBreakerOptions, string][] = [
  [{ failureRatio: 0 }, 'failureRatio'],
  [{ failureRatio: 1.1 }, 'failureRatio'],
  [{ failureRatio: Number.NaN }, 'failureRatio'],
  [{ consecutiveFailures: 0 }, 'consecutiveFailures'],
  [{ consecutiveFailures: 1.5 }, 'consecutiveFailures'],
  [{ slowCallDuration: 10 }, 'slowCallRatio'],
  [{ slowCallRatio: 0.5 }, 'slowCallDuration'],
  [{ slowCallRatio: 2, slowCallDuration: 10 }, 'slowCallRatio'],
  [{ slowCallRatio: 0.5, slowCallDuration: -1 }, 'slowCallDuration'],
  [{ minimumThroughput: 0 }, 'minimumThroughput'],
  [{ window: 0 }, 'window'],
  [{ window: Infinity }, 'window'],
  [{ buckets: 0 }, 'buckets'],
  [{ buckets: 1e9 }, 'buckets'],
  [{ breakDuration: -5 }, 'breakDuration'],
  [{ breakJitter: 2 }, 'breakJitter'],
  [{ breakGrowth: 0.5 }, 'breakGrowth'],
  [{ maxBreakDuration: 10 }, 'maxBreakDuration'],
  [{ halfOpenProbes: 0 }, 'halfOpenProbes'],
  [{ halfOpenProbes: 3, bulkheadSlots: 2 }, 'halfOpenProbes'],
  [{ bulkheadSlots: 0 }, 'bulkheadSlots'],
  [{ probeTimeout: 0 }, 'probeTimeout'],
];

describe('options of a circuit breaker', () => {
  it.each(refused)('refuse %o', (options, option) => {
    expect(() => circuitBreaker(options)).toThrow(
      expect.objectContaining({ code: 'RESILIENCE_OPTION', option }) as Error,
    );
  });

  it('have defaults', () => {
    expect(circuitBreaker().statistics()).toMatchObject({ state: 'closed', opened: 0, window: { calls: 0 } });
    expect(circuitBreaker({ name: 'payments', breakDuration: 600_000 }).name).toBe('payments');
  });
});
