import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.js';

describe('Histogram', () => {
  it('gives percentiles that are right to 4 %, of any durations', () => {
    const duration = fc.double({ min: 0.016, max: 1_000_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (durations) => {
        const histogram = new Histogram();
        for (const one of durations) histogram.record(one);
        const sorted = [...durations].sort((a, b) => a - b);
        const statistics = histogram.statistics();
        const shares = [
          [0.5, statistics.p50],
          [0.95, statistics.p95],
          [0.99, statistics.p99],
        ] as const;
        for (const [share, found] of shares) {
          const exact = sorted[Math.ceil(sorted.length * share) - 1] as number;
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.04 + 0.001);
        }
        expect(statistics).toMatchObject({ count: durations.length, max: sorted.at(-1) });
      }),
    );
  });

  it('is nothing while empty, and the sum of those added', () => {
    const [all, other] = [new Histogram(), new Histogram()];
    expect(all.statistics()).toEqual({ count: 0, mean: 0, max: 0, p50: 0, p95: 0, p99: 0 });
    all.add(other);
    for (let at = 0; at < 100; at += 1) (at < 50 ? all : other).record(at < 50 ? 1 : 9);
    all.add(other);
    expect(all.statistics()).toMatchObject({ count: 100, mean: 5, max: 9 });
    expect(all.statistics().p95).toBeCloseTo(9, 0);
  });
});
