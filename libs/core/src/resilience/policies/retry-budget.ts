import type { Clock } from '../../ports/clock.js';
import { systemClock } from '../../ports/system-clock.js';
import { LocalRateLimiter } from '../limiter/rate-limiter.js';
import { mustBeWithin, withDefaults } from '../option-rules.js';

/** Options of {@link RetryBudget}. */
export interface RetryBudgetOptions {
  /** Retries that each call earns, 0 to 10: 0.2 lets one call in five be retried for long. Default: 0.2. */
  readonly ratio?: number;
  /** Retries that may be saved up, 1 to 1 000 000; a new budget holds so many. Default: 10. */
  readonly capacity?: number;
  /** Retries per second that are there without calls, for services called rarely. Default: 1. */
  readonly perSecond?: number;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** Keeps retries from multiplying the load of a service that is down: shared by all calls to it (as in Twitter's Finagle). */
export class RetryBudget {
  private readonly ratio: number;
  private readonly capacity: number;
  private readonly trickle: LocalRateLimiter;
  private saved: number;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(options: RetryBudgetOptions = {}) {
    const values = withDefaults({ ratio: 0.2, capacity: 10, perSecond: 1, clock: systemClock }, options);
    mustBeWithin({ ...values }, 0, 10, 'ratio');
    mustBeWithin({ ...values }, 1, 1_000_000, 'capacity');
    mustBeWithin({ ...values }, 0.000_001, 1_000_000, 'perSecond');
    this.ratio = values.ratio;
    this.capacity = values.capacity;
    this.saved = values.capacity;
    this.trickle = new LocalRateLimiter({
      maxTransitionsPerSecond: values.perSecond,
      burstCapacity: Math.max(1, values.perSecond),
      clock: values.clock,
    });
  }

  /** A call was made for the first time. */
  earn(): void {
    this.saved = Math.min(this.capacity, this.saved + this.ratio);
  }

  /** Takes a retry, if there is one. */
  trySpend(): boolean {
    if (this.saved < 1) return this.trickle.tryAcquire();
    this.saved -= 1;
    return true;
  }
}
