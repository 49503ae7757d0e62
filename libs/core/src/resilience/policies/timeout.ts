import type { Clock } from '../../ports/clock.js';
import { systemClock } from '../../ports/system-clock.js';
import { CallTimeoutError } from '../errors.js';
import { mustBePositive } from '../option-rules.js';
import { start, type Call, type Policy } from './policy.js';

/** Options of {@link timeout}. */
export interface TimeoutOptions {
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
}

/**
 * Ends a call that takes longer than `timeoutMs`: the signal that the function is given aborts with a {@link CallTimeoutError}, and the call
 * rejects with it, whether or not the function heeds its signal. It co-operates: what ignores the signal runs on, and its late result is dropped.
 * A caller's signal ends the call in the same way, with its own reason.
 *
 * @throws ResilienceOptionError for a length of time that is not finite and above zero
 */
export function timeout(timeoutMs: number, { clock = systemClock }: TimeoutOptions = {}): Policy {
  mustBePositive({ timeoutMs }, 'timeoutMs');
  return {
    execute: <T>(call: Call<T>, signal?: AbortSignal): Promise<T> => timed(clock, timeoutMs, call, signal),
  };
}

async function timed<T>(
  clock: Clock,
  timeoutMs: number,
  call: Call<T>,
  outer: AbortSignal | undefined,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const follow = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', follow, { once: true });
  const timer = clock.schedule(timeoutMs, () => controller.abort(new CallTimeoutError(timeoutMs)));
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      start(call, signal).then(resolve, reject);
    });
  } finally {
    timer.cancel();
    outer?.removeEventListener('abort', follow);
  }
}
