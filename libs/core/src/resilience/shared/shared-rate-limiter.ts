import { Coalescer } from '../../handling/coalescer.js';
import { RateLimitExceededError } from '../errors.js';
import { mustFit } from '../limiter/limiter-options.js';
import { LocalRateLimiter, type RateLimiter, type RateLimitView } from '../limiter/rate-limiter.js';
import { costInUnits, millisecondsFor, tokenUnits, type TokenUnits } from '../limiter/token-units.js';
import { notify } from '../listeners.js';
import type { SharedBucketStore, TakeAnswer, TakeRequest } from './bucket-store.js';
import { gathered } from './gathered.js';
import { Leases } from './leases.js';
import {
  sharedRateLimiterSettings,
  type SharedRateLimiterOptions,
  type SharedRateLimiterSettings,
} from './shared-limiter-options.js';
import { SharedLines, type LineAnswer, type LineRefusal } from './shared-lines.js';
import { StoreLink } from './store-link.js';

/** Counts of this node since construction, and what is so now. */
export interface SharedRateLimiterStatistics {
  /** Calls let through, those that waited included. */
  readonly allowed: number;
  /** Of these, calls that a lease answered without asking the store. */
  readonly leased: number;
  readonly refused: number;
  /** Calls of `acquire` that had to wait. */
  readonly waited: number;
  /** Waits that their signal ended. */
  readonly cancelled: number;
  /** Triggers let through because they are not monitored. */
  readonly unmonitored: number;
  /** Calls answered without the store because it was gone, as `whenUnavailable` says. */
  readonly withoutStore: number;
  /** Calls that wait now. */
  readonly waiting: number;
  /** Keys of which this node remembers a lease; at most `maxKeys`. */
  readonly leases: number;
  /** Whether the store answers. */
  readonly available: boolean;
  /** Calls to the store, each of which may ask for many; of these, how many failed. */
  readonly storeCalls: number;
  readonly storeFailures: number;
}

/** Requests in one call to the store, and calls under way at a time; what comes meanwhile goes into the next. */
const MOST_REQUESTS = 1_000;
const MOST_CALLS = 2;

/**
 * Rate limiter whose buckets lie in a shared store: the generic cell rate algorithm (ITU-T I.371) in its equivalent form of a continuous-state leaky
 * bucket, counted in integers by the clock of the store. All nodes together never let more through than the limit; with leases, than the limit and
 * the leases of all nodes.
 */
export class SharedRateLimiter implements RateLimiter {
  private readonly settings: SharedRateLimiterSettings;
  private readonly units: TokenUnits;
  private readonly buckets: { readonly name: string; readonly units: TokenUnits };
  private readonly link: StoreLink;
  private readonly lines: SharedLines;
  private readonly leases: Leases | undefined;
  private readonly questions: Coalescer<TakeRequest, TakeAnswer>;
  private readonly monitored: ReadonlySet<string> | undefined;
  private alone: LocalRateLimiter | undefined;
  private readonly counts = {
    allowed: 0,
    leased: 0,
    refused: 0,
    waited: 0,
    cancelled: 0,
    unmonitored: 0,
    withoutStore: 0,
  };

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(
    private readonly store: SharedBucketStore,
    options: SharedRateLimiterOptions,
  ) {
    const settings = (this.settings = sharedRateLimiterSettings(options));
    const units = (this.units = tokenUnits(settings));
    const { clock, lease, maxKeys, maxQueue, maxWait } = settings;
    this.buckets = { name: settings.name, units };
    this.link = new StoreLink(settings);
    this.questions = new Coalescer((batch) => this.askStore(batch), {
      maxBatch: MOST_REQUESTS,
      maxInFlight: MOST_CALLS,
    });
    this.leases =
      lease && new Leases(clock, units, lease, maxKeys, (key, tokens) => this.fetchLease(key, tokens));
    this.lines = new SharedLines({
      clock,
      units,
      maxQueue,
      maxWait,
      ask: (key, cost, count) => this.askFor(key, cost, count),
      refused: (key, cost, waitMs, reason) => this.refusedInLine(key, cost, waitMs, reason),
      waits: () => {
        this.counts.waited += 1;
      },
    });
    this.monitored = settings.monitoredTriggers && new Set(settings.monitoredTriggers);
  }

  /** Name under which nodes share it. */
  get name(): string {
    return this.settings.name;
  }

  /**
   * Takes `cost` tokens (default 1; whole or fractional) if they are there and nobody on this node waits for them. Answers at once, and allocates nothing, where
   * a lease holds them; else with a promise.
   *
   * @throws RateLimitExceededError (or the promise rejects with it) in place of `false`, with `throwWhenExceeded`
   * @throws ResilienceOptionError for a cost that can never be met, or a key that is too long
   */
  tryAcquire(key?: string, cost = 1): boolean | Promise<boolean> {
    return this.take(key, cost, undefined);
  }

  /**
   * As {@link tryAcquire}, for a trigger: one that is not among `monitoredTriggers` passes and costs nothing.
   *
   * @param key default: the trigger itself
   */
  tryTrigger(trigger: string, key: string = trigger, cost = 1): boolean | Promise<boolean> {
    if (this.monitored === undefined || this.monitored.has(trigger)) return this.take(key, cost, trigger);
    this.counts.unmonitored += 1;
    return true;
  }

  /**
   * Takes `cost` tokens, and waits for them behind those that came earlier to this node for the same key. An aborted wait rejects with the signal's reason;
   * tokens that the store gave it in that very moment go to the next in line, or are lost.
   *
   * @throws RateLimitExceededError if the queue is full (`maxQueue`), or the wait is or becomes longer than `maxWait`
   * @throws ResilienceOptionError for a cost that can never be met, or a key that is too long
   */
  async acquire(key?: string, cost = 1, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const units = this.unitsOf(key, cost);
    if (this.fromLease(key, units)) return;
    try {
      await this.lines.enter(key, cost, units, signal);
    } catch (reason) {
      if (signal?.aborted === true && reason === signal.reason) this.counts.cancelled += 1;
      throw reason;
    }
  }

  /** What the bucket of a key holds in the store now, without what nodes hold as leases. Changes nothing. */
  async peek(key?: string): Promise<RateLimitView> {
    const level = await this.levelOf(key);
    const { perToken, capacity } = this.units;
    return {
      tokens: level / perToken,
      capacity: capacity / perToken,
      retryAfterMs: millisecondsFor(this.units, perToken - level),
      queued: this.lines.has(key),
    };
  }

  /**
   * Fills the bucket of a key, or, without one, all of them, for all nodes.
   *
   * @throws what the store throws, and {@link SharedStoreTimeoutError}, while it is gone
   */
  async reset(key?: string): Promise<void> {
    this.leases?.forget(key);
    this.alone?.reset(key);
    await this.link.force(() => this.store.fill(this.buckets, key));
    this.lines.refresh(key);
  }

  statistics(): SharedRateLimiterStatistics {
    const { available, calls: storeCalls, failures: storeFailures } = this.link;
    const leases = this.leases?.keys ?? 0;
    return { ...this.counts, waiting: this.lines.size, leases, available, storeCalls, storeFailures };
  }

  private unitsOf(key: string | undefined, cost: number): number {
    mustFit(key, this.settings.maxKeyLength);
    return cost === 1 ? this.units.perToken : costInUnits(this.units, cost);
  }

  private take(
    key: string | undefined,
    cost: number,
    trigger: string | undefined,
  ): boolean | Promise<boolean> {
    const units = this.unitsOf(key, cost);
    if (this.lines.size > 0 && this.lines.has(key)) return this.refuseInLine(key, cost, units, trigger);
    if (this.fromLease(key, units)) return true;
    const refusedFor = this.leases === undefined ? 0 : this.leases.refusal(key, units);
    if (refusedFor > 0) return this.refuse(key, cost, trigger, refusedFor, 'empty');
    return this.takeShared(key, cost, units, trigger);
  }

  private fromLease(key: string | undefined, units: number): boolean {
    if (this.leases === undefined || !this.leases.take(key, units)) return false;
    this.counts.allowed += 1;
    this.counts.leased += 1;
    return true;
  }

  private async takeShared(
    key: string | undefined,
    cost: number,
    units: number,
    trigger: string | undefined,
  ): Promise<boolean> {
    const { granted, level, againInMs } = await this.askFor(key, units, 1);
    if (granted === 1) return true;
    const retryAfterMs = againInMs ?? millisecondsFor(this.units, units - level);
    const reason = againInMs === undefined ? 'empty' : 'store-unavailable';
    return this.refuse(key, cost, trigger, retryAfterMs, reason);
  }

  /** Takes from the store, or from what stands in for it. */
  private async askFor(key: string | undefined, units: number, count: number): Promise<LineAnswer> {
    if (!this.link.open) return this.withoutStore(key, units, count);
    let answer: TakeAnswer;
    try {
      answer = await this.questions.submit({ key, units, count });
    } catch {
      // The link has told of it, with the error.
      return this.withoutStore(key, units, count);
    }
    this.counts.allowed += answer.granted;
    if (count === 0) return answer;
    if (answer.granted === count) this.leases?.demanded(key);
    else this.leases?.refused(key, units, millisecondsFor(this.units, units - answer.level));
    return answer;
  }

  private askStore(batch: readonly TakeRequest[]): Promise<readonly TakeAnswer[]> {
    const { clock } = this.settings;
    const questions = gathered(batch);
    return this.link.call(async () =>
      questions.answersOf(await this.store.take(this.buckets, questions.requests, clock.storeNow())),
    );
  }

  private withoutStore(key: string | undefined, units: number, count: number): LineAnswer {
    const { whenUnavailable } = this.settings;
    this.counts.withoutStore += count;
    if (whenUnavailable === 'open') return this.allowed(count, this.units.capacity);
    if (whenUnavailable === 'closed') return { granted: 0, level: 0, againInMs: this.link.retryAfterMs };
    const alone = this.standIn();
    const cost = units / this.units.perToken;
    let granted = 0;
    while (granted < count && alone.tryAcquire(key, cost)) granted += 1;
    return this.allowed(granted, Math.round(alone.peek(key).tokens * this.units.perToken));
  }

  private allowed(granted: number, level: number): LineAnswer {
    this.counts.allowed += granted;
    return { granted, level };
  }

  private standIn(): LocalRateLimiter {
    if (this.alone === undefined) {
      const { maxTransitionsPerSecond, burstCapacity, maxKeys, maxKeyLength, clock } = this.settings;
      const limit = { maxTransitionsPerSecond, burstCapacity, maxKeys, maxKeyLength, clock };
      this.alone = new LocalRateLimiter(limit);
    }
    return this.alone;
  }

  private async fetchLease(key: string | undefined, tokens: number): Promise<number> {
    if (!this.link.available) return 0;
    try {
      const { granted } = await this.questions.submit({ key, units: this.units.perToken, count: tokens });
      return granted;
    } catch {
      return 0;
    }
  }

  private async levelOf(key: string | undefined): Promise<number> {
    mustFit(key, this.settings.maxKeyLength);
    const { level } = await this.askFor(key, this.units.perToken, 0);
    return level;
  }

  private refuseInLine(
    key: string | undefined,
    cost: number,
    units: number,
    trigger: string | undefined,
  ): boolean {
    const waitMs = millisecondsFor(this.units, this.lines.ahead(key) + units);
    return this.refuse(key, cost, trigger, waitMs, 'empty');
  }

  private refuse(
    key: string | undefined,
    cost: number,
    trigger: string | undefined,
    retryAfterMs: number,
    reason: RateLimitExceededError['reason'],
  ): false {
    this.tellRefusal(key, cost, trigger, retryAfterMs);
    if (this.settings.throwWhenExceeded) throw new RateLimitExceededError(key, cost, retryAfterMs, reason);
    return false;
  }

  private refusedInLine(
    key: string | undefined,
    cost: number,
    waitMs: number,
    reason: LineRefusal,
  ): RateLimitExceededError {
    this.tellRefusal(key, cost, undefined, waitMs);
    return new RateLimitExceededError(key, cost, waitMs, this.link.available ? reason : 'store-unavailable');
  }

  private tellRefusal(
    key: string | undefined,
    cost: number,
    trigger: string | undefined,
    retryAfterMs: number,
  ): void {
    this.counts.refused += 1;
    notify(this.settings.onRateLimitExceeded, { key, trigger, cost, retryAfterMs });
  }
}
