import {
  rateLimiterSettings,
  type RateLimiterOptions,
  type RateLimiterSettings,
} from '../limiter/limiter-options.js';
import { mustBeCount, mustBeOneOf, mustBePositive, withDefaults } from '../option-rules.js';
import { mustBeName } from './shared-name.js';
import type { StoreAvailability } from './store-link.js';

/** Tokens that a node takes ahead, so that most calls ask nobody. */
export interface LeaseOptions {
  /**
   * Most tokens of a key that a node holds ahead of its calls. Over all nodes, no more than the limit and `tokens` × nodes is let through
   * in any stretch of time.
   */
  readonly tokens: number;
  /** Milliseconds after which tokens of a key that nobody asked for are dropped, at the latest twice as many. Default: 1 000 ms. */
  readonly duration?: number;
}

/** Options of {@link SharedRateLimiter}: those of the local one, but for stepped refills. Lengths of time are milliseconds. */
export interface SharedRateLimiterOptions extends Omit<RateLimiterOptions, 'refill' | 'refillInterval'> {
  /** Limiters of one name and one store share their buckets, wherever they run. */
  readonly name: string;
  /** Default: none; every call asks the store, and the limit is exact. */
  readonly lease?: LeaseOptions;
  /**
   * What happens while the store is gone. `'local'` (default): each node keeps the whole limit by itself. `'open'`: every call passes. `'closed'`: none does.
   */
  readonly whenUnavailable?: 'local' | 'open' | 'closed';
  /** Time after which a call to the store counts as failed. Default: 1 000 ms. */
  readonly storeTimeout?: number;
  /** Time after a failed call before the store is tried again. Default: 1 000 ms. */
  readonly retryInterval?: number;
  /** Told when the store stops answering and when it answers again. */
  readonly onAvailability?: (availability: StoreAvailability) => void;
}

const DEFAULTS = {
  whenUnavailable: 'local' as 'local' | 'open' | 'closed',
  storeTimeout: 1_000,
  retryInterval: 1_000,
};

const LEASE_DURATION_MS = 1_000;

/** Options with their defaults filled in. */
export type SharedRateLimiterSettings = RateLimiterSettings &
  typeof DEFAULTS & {
    readonly name: string;
    readonly lease: Required<LeaseOptions> | undefined;
    readonly onAvailability?: (availability: StoreAvailability) => void;
  };

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function sharedRateLimiterSettings(options: SharedRateLimiterOptions): SharedRateLimiterSettings {
  const { lease, ...given } = withDefaults(DEFAULTS, options);
  const settings = { ...rateLimiterSettings(given), lease: lease && leaseOf(lease) };
  mustBeName(given.name);
  mustBePositive({ ...given }, 'storeTimeout', 'retryInterval');
  mustBeOneOf({ ...given }, 'whenUnavailable', ['local', 'open', 'closed']);
  mustBeOneOf({ ...settings }, 'refill', ['continuous']);
  return settings as SharedRateLimiterSettings;
}

function leaseOf(options: LeaseOptions): Required<LeaseOptions> {
  const lease = withDefaults({ duration: LEASE_DURATION_MS }, options);
  mustBeCount({ 'lease.tokens': lease.tokens }, 1, 'lease.tokens');
  mustBePositive({ 'lease.duration': lease.duration }, 'lease.duration');
  return lease;
}
