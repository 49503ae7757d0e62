import { describe, expect, it } from 'vitest';
import { AdaptiveSpin } from './adaptive-spin.js';

/** Frames come after gaps of so many milliseconds; whether the reader still looks after half of the last one. */
function looksOn(longestMs: number, gaps: readonly number[]): boolean {
  const spin = new AdaptiveSpin(longestMs);
  let now = 0;
  for (const gap of gaps) {
    spin.goesOn(now);
    now += gap;
    spin.found(now);
  }
  spin.goesOn(now);
  return spin.goesOn(now + (gaps.at(-1) ?? 0) / 2);
}

const times = (count: number, gap: number) => new Array<number>(count).fill(gap);

describe('AdaptiveSpin', () => {
  it('sleeps at once before it has seen anything', () => {
    expect(new AdaptiveSpin(0.2).goesOn(0)).toBe(false);
  });

  it('looks on while frames come after short gaps', () => {
    expect(looksOn(0.2, times(20, 0.01))).toBe(true);
  });

  it('looks on after one long gap among short ones', () => {
    expect(looksOn(0.2, [...times(20, 0.05), 30, 0.05])).toBe(true);
  });

  it('sleeps at once where gaps are long', () => {
    expect(looksOn(0.2, times(20, 5))).toBe(false);
  });

  it('learns either after a few gaps', () => {
    expect(looksOn(0.2, [...times(20, 5), ...times(10, 0.01)])).toBe(true);
    expect(looksOn(0.2, [...times(20, 0.01), ...times(3, 5)])).toBe(false);
  });

  it('never looks longer than it may', () => {
    const spin = new AdaptiveSpin(0.2);
    for (let now = 0; now < 2; now += 0.1) {
      spin.goesOn(now);
      spin.found(now + 0.01);
    }
    expect([10, 10.1, 10.25].map((now) => spin.goesOn(now))).toEqual([true, true, false]);
  });

  it('looks once only where it may not spin', () => {
    expect(looksOn(0, times(20, 0))).toBe(false);
  });
});
