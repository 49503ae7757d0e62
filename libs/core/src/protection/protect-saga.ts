import { hashedId } from '../message/hashed-id.js';
import { BulkheadFullError, CircuitOpenError, RateLimitExceededError } from '../resilience/errors.js';
import type { Policy } from '../resilience/policies/policy.js';
import type { SagaBehaviour } from '../saga/behaviour.js';
import { isOfTheMessage, isPassing } from '../saga/run/delivery-error.js';
import type { Arrival, Passed, SagaGate } from '../saga/saga-gate.js';
import type { AnySaga } from '../saga/saga-types.js';
import { KeyedBreakers } from './keyed-breakers.js';
import { rejectionOf } from './limiter-rejection.js';
import {
  checkSagaProtection,
  monitoredNames,
  nameOfTold,
  type RejectedMessage,
  type SagaProtection,
} from './saga-protection.js';

const MOST_BREAKERS = 10_000;
/** Longer keys are hashed, so that a limiter takes them whatever ids an application has. */
const LONGEST_KEY = 512;

/**
 * The same saga behind a limiter, a breaker or both, however it was made: by a class, a builder or a row of steps. What is limited are the messages that come to it;
 * its timers, activities and undo steps are not. A breaker counts how the handling of messages ends: that a handler failed, not that a race was lost or a store away.
 *
 * Messages are counted by tenant, saga and message, and rejected ones come again later: see {@link SagaProtection.onRejected}.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function protectSaga<G extends AnySaga>(
  behaviour: SagaBehaviour<G>,
  protection: SagaProtection<G>,
): SagaBehaviour<G> {
  const erased = protection as unknown as SagaProtection;
  checkSagaProtection(behaviour.definition, erased);
  return { ...behaviour, gate: new ProtectedSaga(behaviour.definition, erased) };
}

class ProtectedSaga implements SagaGate {
  private readonly monitored: ReadonlySet<string> | undefined;
  private readonly breakerOf: (key: string) => Policy | undefined;

  constructor(
    private readonly definition: AnySaga,
    private readonly protection: SagaProtection,
  ) {
    const { breaker, maxBreakers = MOST_BREAKERS } = protection;
    const names = monitoredNames(protection);
    this.monitored = names && new Set(names);
    if (typeof breaker === 'function') {
      const breakers = new KeyedBreakers(breaker, maxBreakers);
      this.breakerOf = (key) => breakers.of(key);
    } else this.breakerOf = () => breaker;
  }

  async pass<T>(arrival: Arrival, handle: () => Promise<T>): Promise<Passed<T>> {
    if (this.monitored?.has(arrival.trigger) === false) return { let: 'in', result: await handle() };
    const key = keyOf(arrival, this.protection);
    let entered = false;
    const enter = (): Promise<T> => {
      entered = true;
      return handle();
    };
    try {
      await this.limit(key, arrival);
      return { let: 'in', result: await this.behindBreaker(key, enter) };
    } catch (error) {
      // A handler may meet a limit of its own, which is none of ours.
      if (entered || !isRejection(error)) throw error;
      const retryAfterMs = 'retryAfterMs' in error ? error.retryAfterMs : undefined;
      return { let: 'out', rejection: { key, error, retryAfterMs, told: this.toldBy(error, key, arrival) } };
    }
  }

  private async limit(key: string, { message }: Arrival): Promise<void> {
    const { limiter, cost } = this.protection;
    if (limiter === undefined) return;
    const tokens = cost?.(message) ?? 1;
    if (!(await limiter.tryAcquire(key, tokens))) throw await rejectionOf(limiter, key, tokens);
  }

  /** What says nothing about the handlers is to the breaker a call that was cancelled, and counts for nothing. */
  private behindBreaker<T>(key: string, enter: () => Promise<T>): Promise<T> {
    const breaker = this.breakerOf(key);
    if (breaker === undefined) return enter();
    const uncounted = new AbortController();
    return breaker.execute(async () => {
      try {
        return await enter();
      } catch (error) {
        if (isPassing(error) || isOfTheMessage(error)) uncounted.abort(error);
        throw error;
      }
    }, uncounted.signal);
  }

  private toldBy(error: RejectedMessage['error'], key: string, arrival: Arrival): object | undefined {
    const { onRejected = 'later' } = this.protection;
    if (onRejected === 'later') return undefined;
    const { message, tenant, instance } = arrival;
    const told = onRejected({ message, tenant, instance, key, error }) as object | undefined;
    if (told !== undefined) nameOfTold(this.definition, instance, told);
    return told;
  }
}

/** What identifies a message's bucket and breaker: `tenant/saga/instance/trigger`, each part escaped; `*` for all instances. */
function keyOf({ tenant, saga, instance, trigger }: Arrival, { per }: SagaProtection): string {
  const parts = [tenant, saga, per === 'instance' ? instance : '*', trigger];
  const key = parts.map((part) => part.replaceAll(/[%/]/g, encodeURIComponent)).join('/');
  return key.length > LONGEST_KEY ? hashedId(...parts) : key;
}

function isRejection(error: unknown): error is RejectedMessage['error'] {
  return (
    error instanceof RateLimitExceededError ||
    error instanceof CircuitOpenError ||
    error instanceof BulkheadFullError
  );
}
