import * as fc from 'fast-check';

/** What the schedules of all forms of the limiter are made of. */
export const rate = fc.constantFrom(
  { tokens: 100, seconds: 1 },
  { tokens: 7, seconds: 1 },
  { tokens: 7, seconds: 10 },
  { tokens: 1, seconds: 3 },
  { tokens: 5, seconds: 60 },
  { tokens: 1_000_000, seconds: 1 },
);
const key = fc.constantFrom(undefined, 'a', 'b');
export const cost = fc.constantFrom(1, 1, 1, 2, 0.5, 0.25, 3);
export const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('try' as const), key, cost }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), key, cost }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.oneof(fc.nat(30), fc.nat(2_000), fc.nat(100_000)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), at: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reset' as const), key: fc.constantFrom('a', 'b') }),
  },
);
