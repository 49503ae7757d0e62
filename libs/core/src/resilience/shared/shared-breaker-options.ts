import {
  circuitBreakerSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
} from '../breaker/breaker-options.js';
import { mustBePositive, withDefaults } from '../option-rules.js';
import { mustBeName } from './shared-name.js';
import type { StoreAvailability } from './store-link.js';

/** Options of {@link SharedCircuitBreaker}: those of the local one, and how it is shared. Lengths of time are milliseconds. */
export interface SharedCircuitBreakerOptions extends CircuitBreakerOptions {
  /** Breakers of one name and one store share their state, wherever they run. */
  readonly name: string;
  /** How often the store is asked for the state while calls are made, in case its message was lost. Default: 50 ms. */
  readonly checkInterval?: number;
  /** Time after which a call to the store counts as failed. Default: 1 000 ms. */
  readonly storeTimeout?: number;
  /** Time after a failed call before the store is tried again. Default: 1 000 ms. */
  readonly retryInterval?: number;
  /** Told when the store stops answering and when it answers again. */
  readonly onAvailability?: (availability: StoreAvailability) => void;
}

const DEFAULTS = { checkInterval: 50, storeTimeout: 1_000, retryInterval: 1_000 };

/** Options with their defaults filled in. */
export type SharedCircuitBreakerSettings = CircuitBreakerSettings &
  typeof DEFAULTS & { readonly onAvailability?: (availability: StoreAvailability) => void };

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function sharedCircuitBreakerSettings(
  options: SharedCircuitBreakerOptions,
): SharedCircuitBreakerSettings {
  const given = withDefaults(DEFAULTS, options);
  mustBeName(options.name);
  mustBePositive({ ...given }, 'checkInterval', 'storeTimeout', 'retryInterval');
  return circuitBreakerSettings(given) as SharedCircuitBreakerSettings;
}
