import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock, systemRandom, uuidSource } from './system-clock.js';

const DAY_MS = 86_400_000;

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 5_000 }));
  afterEach(() => void vi.useRealTimers());

  it('tells the time of the machine, and leaves the instant of statements to the store', () => {
    expect(systemClock.now()).toBe(5_000);
    expect(systemClock.storeNow()).toBeNull();
    const before = systemClock.monotonic();
    vi.advanceTimersByTime(70);
    expect(systemClock.monotonic() - before).toBe(70);
  });

  it.each([0, 1, 1_000, 30 * DAY_MS, 400 * DAY_MS])('runs a task once, after %i ms', (delayMs) => {
    const ran: number[] = [];
    systemClock.schedule(delayMs, () => ran.push(Date.now() - 5_000));
    vi.advanceTimersByTime(Math.max(0, delayMs - 1));
    expect(ran).toEqual(delayMs === 0 ? [0] : []);
    vi.advanceTimersByTime(DAY_MS);
    expect(ran).toEqual([delayMs]);
  });

  it('does not run what was cancelled, early or in a later leg of a long wait', () => {
    const ran: string[] = [];
    const short = systemClock.schedule(10, () => ran.push('short'));
    const long = systemClock.schedule(60 * DAY_MS, () => ran.push('long'));
    short.cancel();
    vi.advanceTimersByTime(40 * DAY_MS);
    long.cancel();
    long.cancel();
    vi.advanceTimersByTime(40 * DAY_MS);
    expect(ran).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('systemClock in the process', () => {
  it('does not keep it alive', () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const handle = systemClock.schedule(60_000, () => {});
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    handle.cancel();
    timers.mockRestore();
  });
});

describe('the sources of ids and chance', () => {
  it('give UUIDs that do not repeat', () => {
    const ids = Array.from({ length: 100 }, () => uuidSource.next());
    expect(new Set(ids).size).toBe(100);
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('give numbers in [0, 1)', () => {
    const values = Array.from({ length: 100 }, () => systemRandom.next());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(90);
  });
});
