import { describe, expect, it } from 'vitest';
import { ComeBacks } from './come-backs.js';

function stage(draw = 0.5) {
  const clock = { at: 0, monotonic: () => clock.at };
  return { clock, comeBacks: new ComeBacks(clock, { next: () => draw }) };
}

const token = { key: 'k', retryAfterMs: 100 };

describe('messages that were not let in', () => {
  it('come again when they may, the more spread out the more are away for the same key', () => {
    const { comeBacks } = stage();
    expect(['a', 'b', 'c'].map((id) => comeBacks.pause(id, token))).toEqual([100, 150, 200]);
    expect(comeBacks.pause('x', { key: 'other', retryAfterMs: 100 })).toBe(100);
    comeBacks.arrived('a');
    expect(comeBacks.pause('b', token)).toBe(150);
  });

  it('come again after a second where nobody knows better, and never at once', () => {
    const { comeBacks } = stage();
    expect(comeBacks.pause('a', { key: 'k', retryAfterMs: undefined })).toBe(1_000);
    expect(comeBacks.pause('b', { key: 'l', retryAfterMs: 0 })).toBe(1);
  });

  it('are spread over a minute at most, and remembered in a bounded number', () => {
    const { comeBacks } = stage(1);
    const pauses = Array.from({ length: 20_000 }, (_, at) => comeBacks.pause(`m${at}`, token));
    expect(Math.max(...pauses)).toBe(60_100);
    expect(comeBacks.pause('one more', token)).toBe(60_100);
  });

  it('that went to another node are forgotten', () => {
    const { clock, comeBacks } = stage();
    for (let at = 0; at < 10; at += 1) comeBacks.pause(`m${at}`, token);
    clock.at = 60_000;
    expect(comeBacks.pause('a', token)).toBe(100);
  });
});
