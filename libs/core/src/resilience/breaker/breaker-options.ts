import type { Clock } from '../../ports/clock.js';
import type { Random } from '../../ports/ids.js';
import { systemClock, systemRandom } from '../../ports/system-clock.js';
import { ResilienceOptionError } from '../errors.js';
import { mustBeCount, mustBePositive, mustBeWithin, withDefaults } from '../option-rules.js';
import type { CircuitEvent } from './circuit-state.js';

/** Options of {@link CircuitBreaker}. Lengths of time are milliseconds. */
export interface CircuitBreakerOptions {
  /** Name in errors and events. Default: `'circuit'`. */
  readonly name?: string;
  /** Opens at this ratio of failed calls in the window, above 0 and at most 1. Default: 0.5, unless another threshold is given. */
  readonly failureRatio?: number;
  /** Opens after so many failures in a row. Default: off. */
  readonly consecutiveFailures?: number;
  /** A call that takes longer is slow. Needs `slowCallRatio`, and a reading of the clock before each call. Default: off. */
  readonly slowCallDuration?: number;
  /** Opens at this ratio of slow calls in the window, above 0 and at most 1. Needs `slowCallDuration`. */
  readonly slowCallRatio?: number;
  /** Calls that the window must hold before a ratio counts. Default: 10. */
  readonly minimumThroughput?: number;
  /** Length of the sliding window. Default: 10 000 ms. */
  readonly window?: number;
  /** Buckets of the window, at most 1 000; a bucket leaves it as a whole. Default: 10. */
  readonly buckets?: number;
  /** How long it stays open before it lets probes through. Default: 30 000 ms. */
  readonly breakDuration?: number;
  /** Share of the break, 0 to 1, that is added at random, drawn once per opening; 0.2 makes 30 s to 36 s of 30 s. Default: 0. */
  readonly breakJitter?: number;
  /** Factor, 1 to 100, by which the break grows with each opening that follows on failed probes. Default: 1. */
  readonly breakGrowth?: number;
  /** Longest break, before jitter. Default: 300 000 ms, or `breakDuration` if that is longer. */
  readonly maxBreakDuration?: number;
  /** Probes let through when half open; all of them must succeed for it to close, one failure opens it again. Default: 1. */
  readonly halfOpenProbes?: number;
  /** Time after which probes that have not settled are given up, and others are let through. Default: 60 000 ms. */
  readonly probeTimeout?: number;
  /** Slots of the bulkhead behind this breaker, if any: more probes than that can't be under way. */
  readonly bulkheadSlots?: number;
  /** Which rejections are failures; the others count as successes, since the service answered. Default: all are. */
  readonly isFailure?: (error: unknown) => boolean;
  /** Told of every change of state, after it. */
  readonly onEvent?: (event: CircuitEvent) => void;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Default: the randomness of the machine. */
  readonly random?: Random;
}

const DEFAULTS = {
  name: 'circuit',
  minimumThroughput: 10,
  window: 10_000,
  buckets: 10,
  breakDuration: 30_000,
  breakJitter: 0,
  breakGrowth: 1,
  halfOpenProbes: 1,
  probeTimeout: 60_000,
  isFailure: (_error: unknown): boolean => true,
  clock: systemClock,
  random: systemRandom,
};

const LONGEST_BREAK_MS = 300_000;

/** Options with their defaults filled in; a threshold that is off is `undefined`. */
export type CircuitBreakerSettings = typeof DEFAULTS &
  CircuitBreakerOptions & { readonly maxBreakDuration: number };

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function circuitBreakerSettings(options: CircuitBreakerOptions): CircuitBreakerSettings {
  const given = withDefaults(DEFAULTS, options) as CircuitBreakerSettings;
  const thresholds = [given.failureRatio, given.consecutiveFailures, given.slowCallRatio];
  const settings = {
    ...given,
    ...(thresholds.every((threshold) => threshold === undefined) && { failureRatio: 0.5 }),
    maxBreakDuration: given.maxBreakDuration ?? Math.max(LONGEST_BREAK_MS, given.breakDuration),
  };
  checkNumbers(settings);
  checkTogether(settings);
  return settings;
}

function checkNumbers(settings: CircuitBreakerSettings): void {
  const values = { ...settings };
  mustBePositive(values, 'window', 'breakDuration', 'maxBreakDuration', 'probeTimeout');
  mustBeCount(values, 1, 'buckets', 'minimumThroughput', 'halfOpenProbes');
  mustBeWithin(values, 0, 1, 'breakJitter');
  mustBeWithin(values, 1, 100, 'breakGrowth');
  mustBeWithin(values, 1, 1_000, 'buckets');
  for (const name of ['failureRatio', 'slowCallRatio', 'slowCallDuration'] as const) {
    if (settings[name] !== undefined) mustBePositive(values, name);
  }
  for (const name of ['failureRatio', 'slowCallRatio'] as const) {
    if (settings[name] !== undefined) mustBeWithin(values, 0, 1, name);
  }
  for (const name of ['consecutiveFailures', 'bulkheadSlots'] as const) {
    if (settings[name] !== undefined) mustBeCount(values, 1, name);
  }
}

function checkTogether(settings: CircuitBreakerSettings): void {
  const { slowCallDuration, slowCallRatio, breakDuration, maxBreakDuration, bulkheadSlots } = settings;
  const pair = ['slowCallDuration', 'slowCallRatio'] as const;
  if ((slowCallDuration === undefined) !== (slowCallRatio === undefined)) {
    const [missing, other] = slowCallDuration === undefined ? pair : pair.toReversed();
    throw new ResilienceOptionError(String(missing), `must be given together with ${other}`, undefined);
  }
  if (maxBreakDuration < breakDuration) {
    const rule = `must be at least breakDuration, which is ${breakDuration}`;
    throw new ResilienceOptionError('maxBreakDuration', rule, maxBreakDuration);
  }
  if (bulkheadSlots !== undefined && settings.halfOpenProbes > bulkheadSlots) {
    const rule = `must be at most bulkheadSlots, which is ${bulkheadSlots}`;
    throw new ResilienceOptionError('halfOpenProbes', rule, settings.halfOpenProbes);
  }
}
