import type { EventObject, Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import type { EventResult, MachineRef, RequestOptions, WaitOptions } from '../orchestrator/machine-ref.js';
import { CircuitOpenError, RateLimitExceededError, ResilienceOptionError } from '../resilience/errors.js';
import type { Policy } from '../resilience/policies/policy.js';
import { KeyedBreakers } from './keyed-breakers.js';
import { rejectionOf } from './limiter-rejection.js';
import { checkProtection, keyOf, type MachineProtection } from './protection-options.js';

const MOST_BREAKERS = 10_000;

/**
 * The same machine behind a limiter, a breaker or both. Whoever sends through the ref that is returned is limited; the machine's own sends, timers and activities are
 * not. A breaker counts how the steps of `send` and `request` end, and only asks for those of `trySend`.
 *
 * Sends reject with `RateLimitExceededError` or `CircuitOpenError`, as `onRejected` says.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function protectMachine<M extends Machine>(
  ref: MachineRef<M>,
  protection: MachineProtection,
): MachineRef<M> {
  checkProtection(protection);
  return new ProtectedMachine(ref, protection) as MachineRef as MachineRef<M>;
}

class ProtectedMachine implements MachineRef {
  private readonly monitored: ReadonlySet<string> | undefined;
  private readonly breakerOf: (key: string) => Policy | undefined;
  constructor(
    private readonly ref: MachineRef,
    private readonly protection: MachineProtection,
  ) {
    const { monitoredTriggers, breaker, maxBreakers = MOST_BREAKERS } = protection;
    this.monitored = monitoredTriggers && new Set(monitoredTriggers);
    if (typeof breaker === 'function') {
      const breakers = new KeyedBreakers(breaker, maxBreakers);
      this.breakerOf = (key) => breakers.of(key);
    } else this.breakerOf = () => breaker;
  }

  get id(): string {
    return this.ref.id;
  }

  get scopedId(): string {
    return this.ref.scopedId;
  }

  get machine(): Machine {
    return this.ref.machine;
  }

  currentSnapshot(): ReturnType<MachineRef['currentSnapshot']> {
    return this.ref.currentSnapshot();
  }

  async send(event: EventObject): Promise<void> {
    if (!this.protects(event)) return this.ref.send(event);
    const key = keyOf(this.ref, event, this.protection);
    try {
      await this.limit(key, event);
      await this.accepted(key, event);
    } catch (error) {
      const told = this.toldBy(error, key, event);
      if (told === undefined) throw error;
      await this.ref.send(told);
    }
  }

  trySend(event: EventObject): boolean {
    if (!this.protects(event)) return this.ref.trySend(event);
    const key = keyOf(this.ref, event, this.protection);
    try {
      this.limitAtOnce(key, event);
      return this.takenAtOnce(key, event);
    } catch (error) {
      if (!isRejection(error)) throw error;
      const told = this.toldBy(error, key, event);
      if (told !== undefined) this.ref.trySend(told);
      return false;
    }
  }

  async request(event: EventObject, options: RequestOptions = {}): Promise<EventResult> {
    if (!this.protects(event)) return this.ref.request(event, options);
    const key = keyOf(this.ref, event, this.protection);
    try {
      await this.limit(key, event);
      const breaker = this.breakerOf(key);
      if (breaker === undefined) return await this.ref.request(event, options);
      return await breaker.execute(() => this.ref.request(event, options), options.signal);
    } catch (error) {
      const told = this.toldBy(error, key, event);
      if (told !== undefined) await this.ref.send(told);
      throw error;
    }
  }

  snapshot(): Snapshot {
    return this.ref.snapshot();
  }

  waitFor(state: Parameters<MachineRef['waitFor']>[0], options?: WaitOptions): Promise<Snapshot> {
    return this.ref.waitFor(state, options);
  }

  stop(): Promise<void> {
    return this.ref.stop();
  }

  private protects(event: EventObject): boolean {
    return this.monitored === undefined || this.monitored.has(event.type);
  }

  private async limit(key: string, event: EventObject): Promise<void> {
    const { limiter } = this.protection;
    if (limiter === undefined) return;
    const cost = this.costOf(event);
    if (!(await limiter.tryAcquire(key, cost))) throw await rejectionOf(limiter, key, cost);
  }

  private limitAtOnce(key: string, event: EventObject): void {
    const { limiter } = this.protection;
    if (limiter === undefined) return;
    const cost = this.costOf(event);
    const passed = limiter.tryAcquire(key, cost);
    if (typeof passed !== 'boolean') {
      passed.catch(() => undefined);
      const rule = 'must answer at once for trySend; use send, or a local limiter';
      throw new ResilienceOptionError('limiter', rule, 'a promise');
    }
    if (passed) return;
    const view = limiter.peek(key);
    const retryAfterMs = 'retryAfterMs' in view ? view.retryAfterMs : 0;
    throw new RateLimitExceededError(key, cost, retryAfterMs, 'empty');
  }

  private costOf(event: EventObject): number {
    return this.protection.cost?.(event) ?? 1;
  }

  /** Settles when the breaker has let the event through; how its step ends is between the two. */
  private accepted(key: string, event: EventObject): Promise<void> {
    const breaker = this.breakerOf(key);
    if (breaker === undefined) return this.ref.send(event);
    return new Promise((resolve, reject) => {
      const step = breaker.execute(() => {
        resolve();
        return this.ref.request(event);
      });
      // After it was let through, a failed step is told to the subscribers of the group.
      step.catch(reject);
    });
  }

  /** How the step will end is not known here: to the breaker the call is one that was cancelled, and counts for nothing. */
  private takenAtOnce(key: string, event: EventObject): boolean {
    const breaker = this.breakerOf(key);
    if (breaker === undefined) return this.ref.trySend(event);
    let taken: boolean | undefined;
    const cancelled = new AbortController();
    const passed = breaker.execute(async () => {
      taken = this.ref.trySend(event);
      cancelled.abort();
      throw cancelled.signal.reason;
    }, cancelled.signal);
    passed.catch(() => undefined);
    if (taken === undefined) throw new CircuitOpenError(key, 'open', undefined);
    return taken;
  }

  /** The event that tells the machine of a rejection, if it is one and the machine is to be told. */
  private toldBy(error: unknown, key: string, event: EventObject): EventObject | undefined {
    const { onRejected = 'error' } = this.protection;
    if (onRejected === 'error' || !isRejection(error)) return undefined;
    return onRejected({ event, key, error });
  }
}

function isRejection(error: unknown): error is RateLimitExceededError | CircuitOpenError {
  return error instanceof RateLimitExceededError || error instanceof CircuitOpenError;
}
