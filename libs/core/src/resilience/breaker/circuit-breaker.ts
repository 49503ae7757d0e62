import { CircuitOpenError, ResilienceOptionError } from '../errors.js';
import { notify } from '../listeners.js';
import type { Call, Policy } from '../policies/policy.js';
import {
  circuitBreakerSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
} from './breaker-options.js';
import type {
  CircuitCause,
  CircuitSnapshot,
  CircuitState,
  CircuitStatistics,
  HalfOpenState,
} from './circuit-state.js';
import { SteadyTime } from '../steady-time.js';
import { SlidingWindow } from './sliding-window.js';

/** What a closed round does with results; made once per round, so that a call allocates nothing of ours. */
interface ClosedHandlers {
  readonly succeeded: <T>(value: T) => T;
  readonly failed: (error: unknown) => never;
}

/** Successes counted by one reading of the clock, at most. */
const READING_LASTS = 64;
const MICROSECONDS = 1_000;
const KINDS: ReadonlySet<unknown> = new Set(['closed', 'open', 'half-open', 'isolated']);

/**
 * Circuit breaker (M. Nygard, "Release It!", 2007): calls pass while it is closed; too many failures open it, and callers are refused at once;
 * after a break a few probes decide whether it closes.
 *
 * The window is judged when a call fails or was slow. Successes are filed under the bucket that the clock showed last: it is read
 * again when the bucket ends, which a timer tells, and after 64 successes if the event loop is too busy for timers. The timer does not keep
 * the process alive, and none runs while nobody calls.
 */
export class CircuitBreaker implements Policy {
  declare readonly adds?: never;
  private readonly settings: CircuitBreakerSettings;
  private readonly window: SlidingWindow;
  private readonly counts = {
    succeeded: 0,
    failed: 0,
    slow: 0,
    refused: 0,
    cancelled: 0,
    stale: 0,
    opened: 0,
  };
  private readonly simple: boolean;
  private readonly time: SteadyTime;
  private current: CircuitState = { kind: 'closed' };
  private handlers: ClosedHandlers;
  private consecutive = 0;
  /** Successes that may still be counted without reading the clock. */
  private readingLasts = 0;
  private timerRuns = false;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(options: CircuitBreakerOptions = {}) {
    this.settings = circuitBreakerSettings(options);
    this.simple = this.settings.slowCallDuration === undefined;
    this.window = new SlidingWindow(this.settings.window, this.settings.buckets);
    this.time = new SteadyTime(this.settings.clock);
    this.handlers = this.handlersOf(this.current);
  }

  /** Name in errors and events. */
  get name(): string {
    return this.settings.name;
  }

  /** Whether calls pass. */
  get closed(): boolean {
    return this.current.kind === 'closed';
  }

  /**
   * Whether the next call would be a probe, or ask whether it may be one.
   *
   * @internal
   */
  get probesAreDue(): boolean {
    const { current } = this;
    return current.kind === 'half-open' || (current.kind === 'open' && this.now() >= current.until);
  }

  /**
   * What is left of the break, in milliseconds, and which opening in a row it is.
   *
   * @internal
   */
  rest(): { readonly restMs: number; readonly openings: number } {
    const { current } = this;
    if (current.kind !== 'open')
      return { restMs: 0, openings: current.kind === 'half-open' ? current.openings : 0 };
    return { restMs: Math.max(0, current.until - this.now()), openings: current.openings };
  }

  /** The state as it stands. An open breaker becomes half open when the first call after the break comes. */
  get state(): CircuitState {
    return { ...this.current };
  }

  /**
   * Calls the function if the breaker lets it through, and counts its result. A call whose signal was aborted counts neither as a success
   * nor as a failure.
   *
   * @throws CircuitOpenError without calling, while it is open or isolated or all probes are under way
   */
  execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    const direct = this.simple && signal === undefined && this.current.kind === 'closed';
    return direct ? this.passClosed(call) : this.pass(call, signal);
  }

  /** Lets nothing through until {@link reset}. */
  isolate(): void {
    this.enter({ kind: 'isolated' }, 'isolated');
  }

  /** Closes it and forgets what it has counted in the window. */
  reset(): void {
    this.close('reset');
  }

  /** State as plain JSON; see {@link CircuitSnapshot}. */
  export(): CircuitSnapshot {
    const { current } = this;
    const { kind } = current;
    if (kind === 'closed' || kind === 'isolated') return { version: 1, kind, openings: 0 };
    const { clock } = this.settings;
    const rest = kind === 'open' ? Math.max(0, current.until - this.now()) : 0;
    return { version: 1, kind, until: clock.now() + rest, openings: current.openings };
  }

  /**
   * Takes over a state. A break that would last longer than this breaker's longest is cut to that, so that a wrong clock can't close it off for
   * ever. Results of calls under way no longer count.
   *
   * @throws ResilienceOptionError for what is no snapshot
   */
  restore(snapshot: CircuitSnapshot): void {
    const { kind, openings, until = 0 } = checked(snapshot);
    if (kind === 'closed') return this.close('restored');
    if (kind === 'isolated') return this.enter({ kind }, 'restored');
    const { clock, maxBreakDuration, breakJitter } = this.settings;
    const rest = Math.min(Math.max(0, until - clock.now()), maxBreakDuration * (1 + breakJitter));
    this.enter({ kind: 'open', until: this.now() + rest, openings }, 'restored', rest);
  }

  /**
   * Takes over what many share: no event of its own, and results of calls under way no longer count.
   *
   * @internal
   */
  adopt(kind: 'closed' | 'open' | 'isolated', restMs: number, openings: number): void {
    if (kind === 'closed') this.clear();
    this.turn(kind === 'open' ? { kind, until: this.now() + restMs, openings } : { kind });
  }

  /** Counts since construction, and what the window holds now. */
  statistics(): CircuitStatistics {
    this.window.moveTo(this.now());
    const { total: calls, failures, slow } = this.window;
    return { state: this.current.kind, ...this.counts, window: { calls, failures, slow } };
  }

  private now(): number {
    return this.time.read() / MICROSECONDS;
  }

  private passClosed<T>(call: Call<T>): Promise<T> {
    const { succeeded, failed } = this.handlers;
    let result: PromiseLike<T>;
    try {
      result = call(undefined);
    } catch (error) {
      return Promise.reject(error).catch(failed);
    }
    return (result instanceof Promise ? result : Promise.resolve(result)).then(succeeded<T>, failed);
  }

  /** The general way: with a signal, with a look at the clock, or as a probe. */
  private async pass<T>(call: Call<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    const round = this.admit();
    const { slowCallDuration } = this.settings;
    const startedAt = slowCallDuration === undefined ? 0 : this.now();
    const isSlow = (): boolean => slowCallDuration !== undefined && this.now() - startedAt > slowCallDuration;
    let value: T;
    try {
      value = await call(signal);
    } catch (error) {
      if (signal?.aborted === true) this.cancel(round);
      else this.settle(round, this.settings.isFailure(error), isSlow());
      throw error;
    }
    this.settle(round, false, isSlow());
    return value;
  }

  private handlersOf(round: CircuitState): ClosedHandlers {
    return {
      succeeded: (value) => {
        if (this.current === round) this.countSuccess();
        else this.counts.stale += 1;
        return value;
      },
      failed: (error) => {
        this.settle(round, this.settings.isFailure(error), false);
        throw error;
      },
    };
  }

  private countSuccess(): void {
    if (this.readingLasts === 0) this.readClock();
    this.readingLasts -= 1;
    this.consecutive = 0;
    this.counts.succeeded += 1;
    this.window.succeed();
  }

  private readClock(): void {
    const now = this.now();
    this.window.moveTo(now);
    this.readingLasts = READING_LASTS;
    if (this.timerRuns) return;
    this.timerRuns = true;
    this.settings.clock.schedule(this.window.rest(now), () => {
      this.timerRuns = false;
      this.readingLasts = 0;
    });
  }

  /** The round that lets a call through. */
  private admit(): CircuitState {
    const { current } = this;
    switch (current.kind) {
      case 'closed':
        return current;
      case 'isolated':
        return this.refuse('isolated', undefined);
      case 'open': {
        const now = this.now();
        if (now < current.until) return this.refuse('open', Math.ceil(current.until - now));
        return this.halfOpen(current.openings, now, 'break-over');
      }
      case 'half-open':
        return this.admitProbe(current);
    }
  }

  private admitProbe(round: HalfOpenState): CircuitState {
    if (round.admitted < this.settings.halfOpenProbes) {
      round.admitted += 1;
      return round;
    }
    const now = this.now();
    if (now >= round.until) return this.halfOpen(round.openings, now, 'probes-timed-out');
    return this.refuse('half-open', undefined);
  }

  private refuse(state: CircuitOpenError['state'], retryAfterMs: number | undefined): never {
    this.counts.refused += 1;
    throw new CircuitOpenError(this.settings.name, state, retryAfterMs);
  }

  private settle(round: CircuitState, failed: boolean, slow: boolean): void {
    if (round !== this.current) this.counts.stale += 1;
    else if (round.kind === 'half-open') this.settleProbe(round, failed, slow);
    else if (failed || slow) this.settleBad(failed, slow);
    else this.countSuccess();
  }

  private settleProbe(round: HalfOpenState, failed: boolean, slow: boolean): void {
    this.count(failed, slow);
    if (failed || slow) return this.open(round.openings + 1, 'probe-failed');
    round.succeeded += 1;
    if (round.succeeded >= this.settings.halfOpenProbes) this.close('probes-succeeded');
  }

  private settleBad(failed: boolean, slow: boolean): void {
    this.count(failed, slow);
    this.consecutive = failed ? this.consecutive + 1 : 0;
    this.window.moveTo(this.now());
    this.window.add(failed, slow);
    const cause = this.verdict();
    if (cause !== undefined) this.open(1, cause);
  }

  private count(failed: boolean, slow: boolean): void {
    if (failed) this.counts.failed += 1;
    else this.counts.succeeded += 1;
    if (slow) this.counts.slow += 1;
  }

  private cancel(round: CircuitState): void {
    this.counts.cancelled += 1;
    if (round === this.current && round.kind === 'half-open') round.admitted -= 1;
  }

  private verdict(): CircuitCause | undefined {
    const {
      consecutiveFailures = Infinity,
      failureRatio = Infinity,
      slowCallRatio = Infinity,
    } = this.settings;
    if (this.consecutive >= consecutiveFailures) return 'consecutive-failures';
    const { total, failures, slow } = this.window;
    if (total < this.settings.minimumThroughput) return undefined;
    if (failures / total >= failureRatio) return 'failure-ratio';
    return slow / total >= slowCallRatio ? 'slow-calls' : undefined;
  }

  private open(openings: number, cause: CircuitCause): void {
    const breakMs = drawnBreak(this.settings, openings);
    this.counts.opened += 1;
    this.enter({ kind: 'open', until: this.now() + breakMs, openings }, cause, breakMs);
  }

  private halfOpen(openings: number, now: number, cause: CircuitCause): CircuitState {
    const until = now + this.settings.probeTimeout;
    const round: HalfOpenState = { kind: 'half-open', openings, until, admitted: 1, succeeded: 0 };
    this.enter(round, cause);
    return round;
  }

  private clear(): void {
    this.consecutive = 0;
    this.window.clear();
  }

  private close(cause: CircuitCause): void {
    this.clear();
    this.enter({ kind: 'closed' }, cause);
  }

  private turn(to: CircuitState): void {
    this.current = to;
    if (to.kind === 'closed') this.handlers = this.handlersOf(to);
  }

  private enter(to: CircuitState, cause: CircuitCause, breakMs?: number): void {
    const from = this.current.kind;
    this.turn(to);
    const event = { breaker: this.settings.name, from, to: to.kind, cause };
    notify(this.settings.onEvent, breakMs === undefined ? event : { ...event, breakMs });
  }
}

/** How long it stays open, in milliseconds: grown by openings in a row, jitter drawn once. */
export function drawnBreak(settings: CircuitBreakerSettings, openings: number): number {
  const { breakDuration, breakGrowth, breakJitter, maxBreakDuration, random } = settings;
  const grown = Math.min(maxBreakDuration, breakDuration * breakGrowth ** (openings - 1));
  return breakJitter === 0 ? grown : grown * (1 + breakJitter * random.next());
}

function checked(snapshot: CircuitSnapshot): CircuitSnapshot {
  const { version, kind, until = 0, openings } = (snapshot ?? {}) as Partial<CircuitSnapshot>;
  const sound = version === 1 && KINDS.has(kind) && Number.isFinite(until);
  if (sound && Number.isSafeInteger(openings) && Number(openings) >= 0) return snapshot;
  const rule = 'must be what export() gave, of version 1';
  throw new ResilienceOptionError('snapshot', rule, JSON.stringify(snapshot));
}

/**
 * Makes a {@link CircuitBreaker}: by default it opens when half of at least 10 calls within 10 s have failed, for 30 s.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return new CircuitBreaker(options);
}
