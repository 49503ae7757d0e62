import type { Clock } from '../../ports/clock.js';
import { systemClock } from '../../ports/system-clock.js';
import { ResilienceOptionError } from '../errors.js';
import { mustBeCount, mustBeOneOf, mustBePositive, mustBeWithin, withDefaults } from '../option-rules.js';

/** A call that a rate limiter did not let through. */
export interface RateLimitRejection {
  readonly key: string | undefined;
  /** The trigger, where the call came by `tryTrigger`. */
  readonly trigger: string | undefined;
  /** Tokens that were asked for. */
  readonly cost: number;
  /** Milliseconds after which so many tokens will be there, rounded up. */
  readonly retryAfterMs: number;
}

/** Options of {@link LocalRateLimiter}. Lengths of time are milliseconds. */
export interface RateLimiterOptions {
  /**
   * Tokens that come in per second, spread evenly; fractions are kept. Default: 100. Exact for up to six decimals and for whole numbers
   * per minute, hour or day; anything else is rounded down to a millionth.
   */
  readonly maxTransitionsPerSecond?: number;
  /** Tokens a bucket holds, and begins with. Default: 150. */
  readonly burstCapacity?: number;
  /**
   * `'continuous'` (default): a token is there as soon as its time has passed. `'stepped'`: what came in during a `refillInterval` is
   * handed out at its end.
   */
  readonly refill?: 'continuous' | 'stepped';
  /** The step of `refill: 'stepped'`; it doesn't change the rate. Default: 1 000 ms. */
  readonly refillInterval?: number;
  /** Whether `tryAcquire` throws {@link RateLimitExceededError} rather than return `false`. Default: `false`. */
  readonly throwWhenExceeded?: boolean;
  /** Triggers that `tryTrigger` limits; others pass and cost nothing. Default: all are limited. */
  readonly monitoredTriggers?: readonly string[];
  /** Told of every refusal, after it was counted. */
  readonly onRateLimitExceeded?: (rejection: RateLimitRejection) => void;
  /**
   * Keys remembered at a time. Default: 100 000, about 100 bytes each. When a new one needs room, a key whose bucket is full is forgotten,
   * which changes nothing. If none is at hand, one that was not used lately is, and from then on every new key begins with as few tokens
   * as the forgotten one had, until those would have come in again: no key ever gets more than its limit.
   */
  readonly maxKeys?: number;
  /** Longest key, in UTF-16 units. Default: 1 024. */
  readonly maxKeyLength?: number;
  /** Calls of `acquire` that may wait at a time, over all keys. Default: 1 000. */
  readonly maxQueue?: number;
  /** Longest time that `acquire` waits; a call that would wait longer is refused at once. Default: 30 000 ms. */
  readonly maxWait?: number;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
}

const DEFAULTS = {
  maxTransitionsPerSecond: 100,
  burstCapacity: 150,
  refill: 'continuous' as 'continuous' | 'stepped',
  refillInterval: 1_000,
  throwWhenExceeded: false,
  maxKeys: 100_000,
  maxKeyLength: 1_024,
  maxQueue: 1_000,
  maxWait: 30_000,
  clock: systemClock,
};

/** Options with their defaults filled in. */
export type RateLimiterSettings = Readonly<
  Required<Omit<RateLimiterOptions, 'monitoredTriggers' | 'onRateLimitExceeded'>>
> &
  Pick<RateLimiterOptions, 'monitoredTriggers' | 'onRateLimitExceeded'>;

/** Most keys that the tables can number. */
const MOST_KEYS = 2 ** 24 - 1;
const LONGEST_STEP_MS = 86_400_000;

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function rateLimiterSettings(options: RateLimiterOptions): RateLimiterSettings {
  const settings: RateLimiterSettings = withDefaults(DEFAULTS, options);
  const values = { ...settings };
  mustBePositive(values, 'maxTransitionsPerSecond', 'burstCapacity', 'refillInterval', 'maxWait');
  mustBeWithin(values, 0.001, LONGEST_STEP_MS, 'refillInterval');
  mustBeCount(values, 1, 'maxKeys', 'maxKeyLength');
  mustBeCount(values, 0, 'maxQueue');
  mustBeWithin(values, 1, MOST_KEYS, 'maxKeys');
  mustBeOneOf(values, 'refill', ['continuous', 'stepped']);
  if (settings.burstCapacity < 1) {
    throw new ResilienceOptionError(
      'burstCapacity',
      'must hold the cost of one call, which is 1',
      settings.burstCapacity,
    );
  }
  return settings;
}

/** @throws ResilienceOptionError for a key that is too long */
export function mustFit(key: string | undefined, maxKeyLength: number): void {
  if (key === undefined || key.length <= maxKeyLength) return;
  const rule = `must have at most ${maxKeyLength} characters (maxKeyLength)`;
  throw new ResilienceOptionError('key', rule, key);
}
