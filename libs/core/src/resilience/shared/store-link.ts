import type { Clock } from '../../ports/clock.js';
import { SharedStoreTimeoutError } from '../errors.js';
import { notify } from '../listeners.js';

/** The shared store stopped answering, or answers again. */
export type StoreAvailability =
  | { readonly available: true }
  | {
      readonly available: false;
      /** What the store's call failed with; a `SharedStoreTimeoutError` if it did not answer in time. */
      readonly error: unknown;
    };

/** How a {@link StoreLink} deals with a store that fails. Lengths of time are milliseconds. */
export interface StoreLinkSettings {
  readonly clock: Clock;
  readonly storeTimeout: number;
  readonly retryInterval: number;
  readonly onAvailability?: (availability: StoreAvailability) => void;
}

/** Thrown inside, in place of a call that is not made because the store was gone a moment ago. */
export class StoreGone extends Error {}

/**
 * The way to a shared store that may be gone. After a failed call nothing is asked for `retryInterval`; then one call tries, and if it
 * is answered, everybody asks again.
 */
export class StoreLink {
  private goneUntil: number | undefined;
  private trying = false;
  /** Calls made, and calls that failed. */
  calls = 0;
  failures = 0;

  constructor(private readonly settings: StoreLinkSettings) {}

  get available(): boolean {
    return this.goneUntil === undefined;
  }

  /** Milliseconds until the store is tried again; 0 where it is available. */
  get retryAfterMs(): number {
    if (this.goneUntil === undefined) return 0;
    return Math.max(1, Math.ceil(this.goneUntil - this.settings.clock.monotonic()));
  }

  /** Whether a call would be made now. */
  get open(): boolean {
    if (this.goneUntil === undefined) return true;
    return !this.trying && this.settings.clock.monotonic() >= this.goneUntil;
  }

  /** Calls the store, or throws {@link StoreGone}; what the store throws, or a time-out, passes. */
  async call<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.open) throw new StoreGone('the store is not asked before its retry interval is over');
    const trial = this.goneUntil !== undefined;
    if (trial) this.trying = true;
    this.calls += 1;
    try {
      const answer = await this.inTime(ask);
      this.came();
      return answer;
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      if (trial) this.trying = false;
    }
  }

  /** Calls the store even if it was gone a moment ago: for what a person asks. */
  force<T>(ask: () => Promise<T>): Promise<T> {
    if (this.goneUntil !== undefined && !this.trying) this.goneUntil = -Infinity;
    return this.trying ? this.inTime(ask) : this.call(ask);
  }

  private inTime<T>(ask: () => Promise<T>): Promise<T> {
    const { clock, storeTimeout } = this.settings;
    return new Promise<T>((resolve, reject) => {
      const timer = clock.schedule(storeTimeout, () => reject(new SharedStoreTimeoutError(storeTimeout)));
      const answered = (): void => timer.cancel();
      const asked = start(ask);
      asked.then(answered, answered);
      asked.then(resolve, reject);
    });
  }

  private came(): void {
    if (this.goneUntil === undefined) return;
    this.goneUntil = undefined;
    notify(this.settings.onAvailability, { available: true });
  }

  private failed(error: unknown): void {
    this.failures += 1;
    const first = this.goneUntil === undefined;
    this.goneUntil = this.settings.clock.monotonic() + this.settings.retryInterval;
    if (first) notify(this.settings.onAvailability, { available: false, error });
  }
}

async function start<T>(ask: () => Promise<T>): Promise<T> {
  return ask();
}
