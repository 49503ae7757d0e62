import { ResilienceOptionError } from '../errors.js';
import type { RateLimiterSettings } from './limiter-options.js';

const MICROSECONDS = 1_000_000;
/** Parts of a token that make a rate a whole number: decimals, and per minute, hour and day. */
const DIVISORS = [1, 10, 100, 1_000, 60, 3_600, 86_400, 10_000, 100_000, 1_000_000] as const;
const FINEST = 1_000_000;

/**
 * Tokens counted in whole units. Per microsecond `perMicrosecond` units come in, a token is `perToken` of them, and a full bucket `capacity`:
 * all of them integers below 2^53, so that adding and taking is exact however long it goes on.
 */
export interface TokenUnits {
  readonly perMicrosecond: number;
  readonly perToken: number;
  readonly capacity: number;
  /** Microseconds in which an empty bucket becomes full, rounded up. */
  readonly fillTime: number;
  /** Time goes on in steps of so many microseconds. */
  readonly step: number;
}

/** @throws ResilienceOptionError for a rate below a millionth, or a burst that can't be counted exactly */
export function tokenUnits(settings: RateLimiterSettings): TokenUnits {
  const { maxTransitionsPerSecond: rate, burstCapacity, refill, refillInterval } = settings;
  const divisor = DIVISORS.find((by) => isWhole(rate * by)) ?? FINEST;
  const perMicrosecond = isWhole(rate * divisor) ? Math.round(rate * divisor) : Math.floor(rate * divisor);
  if (perMicrosecond < 1) {
    throw new ResilienceOptionError('maxTransitionsPerSecond', 'must be at least a millionth', rate);
  }
  const perToken = divisor * MICROSECONDS;
  const capacity = Math.floor(burstCapacity * perToken);
  if (capacity + perMicrosecond > Number.MAX_SAFE_INTEGER) {
    const most = Math.floor(Number.MAX_SAFE_INTEGER / perToken) - 1;
    throw new ResilienceOptionError(
      'burstCapacity',
      `must be at most ${most} to be counted exactly`,
      burstCapacity,
    );
  }
  return {
    perMicrosecond,
    perToken,
    capacity,
    fillTime: Math.ceil(capacity / perMicrosecond),
    step: refill === 'stepped' ? Math.max(1, Math.round(refillInterval * 1_000)) : 1,
  };
}

/**
 * A cost in units.
 *
 * @throws ResilienceOptionError for one that can never be met
 */
export function costInUnits({ perToken, capacity }: TokenUnits, cost: number): number {
  const units = Math.max(1, Math.round(cost * perToken));
  if (!(cost > 0)) throw new ResilienceOptionError('cost', 'must be a number above zero', cost);
  if (units <= capacity) return units;
  const most = capacity / perToken;
  throw new ResilienceOptionError('cost', `must be at most burstCapacity, which is ${most}`, cost);
}

/** Milliseconds until so many missing units have come in continuously, rounded up; 0 where none is missing. */
export function millisecondsFor({ perMicrosecond }: TokenUnits, missing: number): number {
  return missing > 0 ? Math.max(1, Math.ceil(Math.ceil(missing / perMicrosecond) / 1_000)) : 0;
}

/** Whole but for what binary fractions lose: 0.29 × 100 is 28.999999999999996. */
function isWhole(value: number): boolean {
  const whole = Math.round(value);
  return whole >= 1 && Math.abs(value - whole) <= whole * Number.EPSILON * 4;
}
