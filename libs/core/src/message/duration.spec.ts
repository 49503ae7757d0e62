import { describe, expect, it } from 'vitest';
import { milliseconds } from './duration.js';

describe('milliseconds', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    [250, 250],
  ] as const)('reads %s', (duration, expected) => {
    expect(milliseconds(duration)).toBe(expected);
  });

  it.each(['24 hours', '-1s', '1e3s', '', 's', -1, Number.NaN, Infinity])('refuses %s', (duration) => {
    expect(() => milliseconds(duration as never)).toThrow(/is not a duration/);
  });
});
