import type { Clock } from '../../ports/clock.js';
import type { Random } from '../../ports/ids.js';
import { systemClock, systemRandom } from '../../ports/system-clock.js';
import { notify } from '../listeners.js';
import { mustBeCount, withDefaults } from '../option-rules.js';
import { delaysOf, type Backoff } from './backoff.js';
import { start, type Call, type Policy } from './policy.js';
import type { RetryBudget } from './retry-budget.js';

/** A call will be made again. */
export interface RetryEvent {
  /** Attempts that have failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
}

/** Options of {@link retry}. */
export interface RetryOptions {
  /** Calls altogether, the first included. Default: 3. */
  readonly maxAttempts?: number;
  /** Default: decorrelated jitter from 100 ms to 30 s. */
  readonly backoff?: Backoff;
  /** Which errors are worth another attempt. Default: all but those that say `retryable: false`. */
  readonly retryable?: (error: unknown) => boolean;
  /** Shared by all that call the same service. Default: none. */
  readonly budget?: RetryBudget;
  /** Told before each wait. */
  readonly onRetry?: (event: RetryEvent) => void;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Default: the randomness of the machine. */
  readonly random?: Random;
}

function worthRetrying(error: unknown): boolean {
  return !(typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false);
}

const DEFAULTS = {
  maxAttempts: 3,
  backoff: { kind: 'decorrelated-jitter', delay: 100 } as Backoff,
  retryable: worthRetrying,
  clock: systemClock,
  random: systemRandom,
};

/**
 * Calls again what failed. It rejects with the error of the last attempt when attempts or budget are used up, or the error is not worth another one;
 * an aborted signal ends the wait, and rejects with its reason.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function retry(options: RetryOptions = {}): Policy {
  const settings = withDefaults(DEFAULTS, options);
  mustBeCount({ ...settings }, 1, 'maxAttempts');
  const nextDelay = delaysOf(settings.backoff, settings.random);
  const goesOn = (attempt: number, error: unknown): boolean =>
    attempt < settings.maxAttempts &&
    settings.retryable(error) &&
    (settings.budget === undefined || settings.budget.trySpend());

  return {
    async execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
      settings.budget?.earn();
      let delayMs = 0;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await start(call, signal);
        } catch (error) {
          if (signal?.aborted === true || !goesOn(attempt, error)) throw error;
          delayMs = nextDelay(delayMs);
          notify(settings.onRetry, { attempt, error, delayMs });
        }
        await sleep(settings.clock, delayMs, signal);
      }
    },
  };
}

function sleep(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}
