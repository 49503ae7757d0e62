import { RateLimitExceededError } from '../errors.js';
import { notify } from '../listeners.js';
import { BucketTable, KEYLESS } from './bucket-table.js';
import { rateLimiterSettings, type RateLimiterOptions, type RateLimiterSettings } from './limiter-options.js';
import { SteadyTime } from '../steady-time.js';
import { costInUnits, tokenUnits, type TokenUnits } from './token-units.js';
import { WaitingLines } from './waiting-lines.js';

/** What a bucket holds at an instant. */
export interface RateLimitView {
  /** Tokens, with their fraction. */
  readonly tokens: number;
  /** Most tokens that it can hold. */
  readonly capacity: number;
  /** Milliseconds until one token is there, rounded up; 0 if it is. */
  readonly retryAfterMs: number;
  /** Whether calls wait in line for the key. */
  readonly queued: boolean;
}

/** Counts since construction, and what is so now. */
export interface RateLimiterStatistics {
  /** Calls let through, those that waited included. */
  readonly allowed: number;
  readonly refused: number;
  /** Calls of `acquire` that had to wait. */
  readonly waited: number;
  /** Waits that their signal ended. */
  readonly cancelled: number;
  /** Triggers let through because they are not monitored. */
  readonly unmonitored: number;
  /** Calls that wait now. */
  readonly waiting: number;
  /** Keys remembered now. */
  readonly keys: number;
  /** Keys forgotten; of these, how many had less than a full bucket. */
  readonly forgotten: number;
  readonly forgottenEarly: number;
}

type Answer<T> = T | Promise<T>;

/** A rate limiter, wherever its buckets are: in this process, or shared by many, whose answers are promises. */
export interface RateLimiter {
  tryAcquire(key?: string, cost?: number): Answer<boolean>;
  acquire(key?: string, cost?: number, signal?: AbortSignal): Promise<void>;
  peek(key?: string): Answer<RateLimitView>;
  reset(key?: string): Answer<void>;
}

/**
 * Token bucket per key, computed from timestamps: no timer runs for a bucket, and fractions of tokens are kept exactly, as integers
 * (token bucket as in J. Turner, "New directions in communications", 1986).
 *
 * A clock that goes back stands still until it goes on. Calls without a key share one bucket.
 */
export class LocalRateLimiter implements RateLimiter {
  private readonly settings: RateLimiterSettings;
  private readonly units: TokenUnits;
  private readonly perToken: number;
  private readonly step: number;
  private readonly time: SteadyTime;
  private readonly buckets: BucketTable;
  private readonly lines: WaitingLines;
  private readonly monitored: ReadonlySet<string> | undefined;
  private allowed = 0;
  private refused = 0;
  private waited = 0;
  private cancelled = 0;
  private unmonitored = 0;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(options: RateLimiterOptions = {}) {
    this.settings = rateLimiterSettings(options);
    this.units = tokenUnits(this.settings);
    this.perToken = this.units.perToken;
    this.step = this.units.step;
    this.time = new SteadyTime(this.settings.clock);
    this.buckets = new BucketTable(this.units, this.settings);
    this.lines = new WaitingLines(this.settings.clock, (key, units) => this.take(key, units));
    this.monitored = options.monitoredTriggers && new Set(options.monitoredTriggers);
  }

  /**
   * Takes `cost` tokens (default 1; whole or fractional) if they are there and nobody waits for them. Allocates nothing when it succeeds
   * for a known key.
   *
   * @throws RateLimitExceededError in place of `false`, with `throwWhenExceeded`
   * @throws ResilienceOptionError for a cost that can never be met, or a key that is too long
   */
  tryAcquire(key?: string, cost = 1): boolean {
    const units = cost === 1 ? this.perToken : costInUnits(this.units, cost);
    const { buckets } = this;
    const now = this.stepOf(this.time.read());
    const slot = key === undefined ? KEYLESS : buckets.slotOf(key, now);
    if (this.lines.size > 0 && this.lines.has(key)) return this.refuse(key, cost, undefined);
    if (!buckets.take(slot, now, units)) return this.refuse(key, cost, undefined);
    this.allowed += 1;
    return true;
  }

  /**
   * As {@link tryAcquire}, for a trigger: one that is not among `monitoredTriggers` passes and costs nothing.
   *
   * @param key default: the trigger itself
   */
  tryTrigger(trigger: string, key: string = trigger, cost = 1): boolean {
    if (this.monitored === undefined || this.monitored.has(trigger)) {
      return this.canTake(key, cost) || this.refuse(key, cost, trigger);
    }
    this.unmonitored += 1;
    return true;
  }

  /**
   * Takes `cost` tokens, and waits for them behind those who came earlier for the same key. An aborted wait rejects with the signal's reason
   * and takes nothing.
   *
   * @throws RateLimitExceededError at once if the queue is full (`maxQueue`) or the wait would be longer than `maxWait`
   * @throws ResilienceOptionError for a cost that can never be met, or a key that is too long
   */
  async acquire(key?: string, cost = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.canTake(key, cost)) return;
    const units = costInUnits(this.units, cost);
    const waitMs = this.waitFor(key, units);
    const full = this.lines.size >= this.settings.maxQueue;
    if (full || waitMs > this.settings.maxWait) {
      this.tellRefusal(key, cost, undefined, waitMs);
      throw new RateLimitExceededError(key, cost, waitMs, full ? 'queue-full' : 'wait-too-long');
    }
    this.waited += 1;
    try {
      await this.lines.wait(key, units, signal);
    } catch (reason) {
      this.cancelled += 1;
      throw reason;
    }
  }

  /** What the bucket of a key holds now. Changes nothing. */
  peek(key?: string): RateLimitView {
    const now = this.stepOf(this.time.read());
    return {
      tokens: this.buckets.look(key, now) / this.perToken,
      capacity: this.units.capacity / this.perToken,
      retryAfterMs: this.retryAfterMs(key),
      queued: this.lines.has(key),
    };
  }

  /** Milliseconds until `cost` tokens are there for a call that comes now, rounded up; 0 if they are. */
  retryAfterMs(key?: string, cost = 1): number {
    return this.waitFor(key, costInUnits(this.units, cost));
  }

  /** Fills the bucket of a key, or, without one, forgets all keys and fills everything. */
  reset(key?: string): void {
    if (key === undefined) this.buckets.clear();
    else this.buckets.fill(key, this.stepOf(this.time.read()));
    this.lines.refresh(key);
  }

  statistics(): RateLimiterStatistics {
    const { allowed, refused, waited, cancelled, unmonitored } = this;
    const { size: keys, forgotten, forgottenEarly } = this.buckets;
    const waiting = this.lines.size;
    return { allowed, refused, waited, cancelled, unmonitored, waiting, keys, forgotten, forgottenEarly };
  }

  private stepOf(micros: number): number {
    const { step } = this;
    return step === 1 ? micros : micros - (micros % step);
  }

  private canTake(key: string | undefined, cost: number): boolean {
    const units = costInUnits(this.units, cost);
    return !this.lines.has(key) && this.take(key, units) === 0;
  }

  private take(key: string | undefined, units: number): number {
    const now = this.time.read();
    const step = this.stepOf(now);
    const slot = this.buckets.slotOf(key, step);
    if (!this.buckets.take(slot, step, units)) {
      return this.millisecondsFor(units - this.buckets.look(key, step), now);
    }
    this.allowed += 1;
    return 0;
  }

  private waitFor(key: string | undefined, units: number): number {
    const now = this.time.read();
    const missing = units + this.lines.ahead(key) - this.buckets.look(key, this.stepOf(now));
    return missing > 0 ? this.millisecondsFor(missing, now) : 0;
  }

  private millisecondsFor(missing: number, now: number): number {
    const { perMicrosecond, step } = this.units;
    const needed = this.stepOf(now) + Math.ceil(missing / perMicrosecond);
    return Math.max(1, Math.ceil((Math.ceil(needed / step) * step - now) / 1_000));
  }

  private refuse(key: string | undefined, cost: number, trigger: string | undefined): false {
    const { throwWhenExceeded, onRateLimitExceeded } = this.settings;
    if (!throwWhenExceeded && onRateLimitExceeded === undefined) {
      this.refused += 1;
      return false;
    }
    const retryAfterMs = this.retryAfterMs(key, cost);
    this.tellRefusal(key, cost, trigger, retryAfterMs);
    if (throwWhenExceeded) throw new RateLimitExceededError(key, cost, retryAfterMs, 'empty');
    return false;
  }

  private tellRefusal(
    key: string | undefined,
    cost: number,
    trigger: string | undefined,
    retryAfterMs: number,
  ): void {
    this.refused += 1;
    notify(this.settings.onRateLimitExceeded, { key, trigger, cost, retryAfterMs });
  }
}

/**
 * Makes a {@link LocalRateLimiter}: by default 100 calls per second and key, 150 at once.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function rateLimiter(options: RateLimiterOptions = {}): LocalRateLimiter {
  return new LocalRateLimiter(options);
}
