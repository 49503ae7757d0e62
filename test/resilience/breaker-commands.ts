import * as fc from 'fast-check';
import type { ModelOptions, Outcome } from './breaker-model.js';

/** What the schedules of all forms of the breaker are made of. */
export const options: fc.Arbitrary<ModelOptions> = fc
  .record({
    failureRatio: fc.constantFrom(0.2, 0.5, 1),
    consecutiveFailures: fc.integer({ min: 2, max: 6 }),
    minimumThroughput: fc.integer({ min: 1, max: 6 }),
    window: fc.constantFrom(100, 1_000),
    buckets: fc.constantFrom(1, 4, 10),
    breakDuration: fc.constantFrom(50, 200),
    breakJitter: fc.constantFrom(0, 0.5),
    breakGrowth: fc.constantFrom(1, 2),
    maxBreakDuration: fc.constantFrom(200, 500),
    halfOpenProbes: fc.integer({ min: 1, max: 3 }),
    probeTimeout: fc.constantFrom(100, 400),
    slow: fc.boolean(),
  })
  .map(({ slow, ...rest }) => (slow ? { ...rest, slowCallDuration: 20, slowCallRatio: 0.5 } : rest));

export const outcome = fc.constantFrom<Outcome>('ok', 'failed', 'failed', 'cancelled');
