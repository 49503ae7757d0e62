import type { Random } from '../../ports/ids.js';
import { mustBeOneOf, mustBePositive, mustBeWithin } from '../option-rules.js';
import { ResilienceOptionError } from '../errors.js';

/** How long to wait between attempts. Lengths of time are milliseconds. */
export type Backoff =
  | {
      /** The same time before every attempt. */
      readonly kind: 'fixed';
      readonly delay: number;
    }
  | {
      /** `delay`, then `factor` times as long before each further attempt, at most `maxDelay`. */
      readonly kind: 'exponential';
      readonly delay: number;
      /** Longest wait. Default: 30 000 ms. */
      readonly maxDelay?: number;
      /** 1 to 100. Default: 2. */
      readonly factor?: number;
    }
  | {
      /**
       * Drawn between `delay` and three times the wait before, at most `maxDelay` (M. Brooker, "Exponential backoff and jitter", 2015): callers that
       * failed together don't come back together.
       */
      readonly kind: 'decorrelated-jitter';
      readonly delay: number;
      /** Longest wait. Default: 30 000 ms. */
      readonly maxDelay?: number;
    };

const LONGEST_MS = 30_000;

/** The wait before the next attempt, from the wait before the last one (0 if there was none). */
export type NextDelay = (previous: number) => number;

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function delaysOf(backoff: Backoff, random: Random): NextDelay {
  mustBeOneOf({ ...backoff }, 'kind', ['fixed', 'exponential', 'decorrelated-jitter']);
  mustBePositive({ ...backoff }, 'delay');
  const { kind, delay } = backoff;
  if (kind === 'fixed') return () => delay;
  const longest = backoff.maxDelay ?? Math.max(LONGEST_MS, delay);
  mustBePositive({ maxDelay: longest }, 'maxDelay');
  if (longest < delay) {
    throw new ResilienceOptionError('maxDelay', `must be at least delay, which is ${delay}`, longest);
  }
  if (kind === 'exponential') {
    const { factor = 2 } = backoff;
    mustBeWithin({ factor }, 1, 100, 'factor');
    return (previous) => (previous === 0 ? delay : Math.min(longest, previous * factor));
  }
  return (previous) => {
    const most = Math.max(delay, previous) * 3;
    return Math.min(longest, delay + random.next() * (most - delay));
  };
}
