// oxlint-disable eslint/no-restricted-globals, eslint/no-restricted-properties -- the one file that is allowed to
import type { Cancellable, Clock } from './clock.js';
import type { IdSource, Random } from './ids.js';

/**
 * The longest delay that timers of JavaScript runtimes keep (2^31 - 1 ms, about 24.8 days); a longer one would fire at once.
 */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Runtimes that can (Node, Bun, Deno) are told not to stay alive for a timer; browsers return a number. */
function unref(timer: unknown): void {
  if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') {
    (timer as { unref(): void }).unref();
  }
}

/** Waits in legs, so that a delay beyond {@link LONGEST_TIMER_MS} is kept as well. */
function schedule(delayMs: number, task: () => void): Cancellable {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (restMs: number): void => {
    const leg = Math.min(Math.max(restMs, 0), LONGEST_TIMER_MS);
    timer = globalThis.setTimeout(() => (restMs > leg ? wait(restMs - leg) : task()), leg);
    unref(timer);
  };
  wait(delayMs);
  return { cancel: () => globalThis.clearTimeout(timer) };
}

/** The time of the machine. This file is the only one that touches the runtime's clock, timers and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule,
  storeNow: () => null,
};

/** Random UUIDs (RFC 9562, version 4) of the runtime's cryptographic generator. */
export const uuidSource: IdSource = { next: () => globalThis.crypto.randomUUID() };

/** The runtime's own generator; good for jitter, not for secrets. */
export const systemRandom: Random = { next: () => Math.random() };
