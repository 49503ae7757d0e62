import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.js';
import { HandlerTimeoutError } from './handler-errors.js';
import { timedCall } from './timed-call.js';

/** Time that is up when the test says so. */
function handClock(): Clock & { ring(): void; readonly armed: number } {
  const tasks = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    storeNow: () => 0,
    schedule: (_delay, task) => {
      tasks.add(task);
      return { cancel: () => void tasks.delete(task) };
    },
    ring: () => tasks.forEach((task) => task()),
    get armed() {
      return tasks.size;
    },
  };
}

describe('timedCall', () => {
  it('gives what the call gives, and needs no timer for a call that is done at once', async () => {
    const clock = handClock();
    await expect(timedCall(clock, 'h', 5, () => 7)).resolves.toBe(7);
    expect(clock.armed).toBe(0);
    await expect(timedCall(clock, 'h', 5, async () => 8)).resolves.toBe(8);
    await Promise.resolve();
    expect(clock.armed).toBe(0);
  });

  it('rejects when time is up, aborts the signal, and ignores what comes later', async () => {
    const clock = handClock();
    let late: (value: string) => void = () => {};
    let signal: AbortSignal | undefined;
    const call = timedCall(clock, 'OrderSaga.onPaid', 5, (source) => {
      signal = source();
      return new Promise<string>((resolve) => (late = resolve));
    });
    clock.ring();
    late('too late');
    await expect(call).rejects.toThrow(HandlerTimeoutError);
    await expect(call).rejects.toThrow(/OrderSaga.onPaid did not settle within 5 ms/);
    expect(signal?.aborted).toBe(true);
  });

  it('gives an aborted signal to a call that asks for it when time is up', async () => {
    const clock = handClock();
    let ask = (): AbortSignal => new AbortController().signal;
    const call = timedCall(clock, 'h', 5, (source) => {
      ask = source;
      return new Promise(() => {});
    });
    clock.ring();
    await expect(call).rejects.toThrow(HandlerTimeoutError);
    expect(ask().aborted).toBe(true);
  });
});
