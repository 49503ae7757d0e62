import { describe, expect, it } from 'vitest';
import { countedIds } from './counted-ids.js';
import { seededRandom } from './seeded-random.js';

const series = (seed: number, length = 5) => {
  const random = seededRandom(seed);
  return Array.from({ length }, () => random.next());
};

describe('seededRandom', () => {
  // Computed with a C program of the published algorithm.
  it.each([
    [0, [1363572419, 145230303, 808754475, 4216505632, 947923937]],
    [1, [2012149540, 1872316204, 1707632675, 1779833415, 2026416846]],
    [0x123456789abcd, [3084697334, 3599130084, 3453378840, 1348678125, 3336000178]],
  ])('gives the series of sfc32 for the seed %i', (seed, words) => {
    expect(series(seed).map((value) => value * 2 ** 32)).toEqual(words);
  });

  it('gives other series for other seeds, also where only the high half differs', () => {
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40];
    const firsts = seeds.map((seed) => series(seed).join());
    expect(new Set(firsts).size).toBe(seeds.length);
  });

  it('is uniform in [0, 1)', () => {
    const values = series(42, 10_000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = Array.from(
      { length: 10 },
      (_, n) => values.filter((value) => Math.floor(value * 10) === n).length,
    );
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => seededRandom(seed)).toThrow(RangeError);
  });
});

describe('countedIds', () => {
  it('counts, and tells nodes apart', () => {
    const [a, b] = [countedIds('a'), countedIds()];
    expect([a.next(), b.next(), a.next(), b.next()]).toEqual(['a-1', 'id-1', 'a-2', 'id-2']);
  });
});
