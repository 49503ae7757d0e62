import type { BulkheadFullError, CircuitOpenError, RateLimitExceededError } from '../resilience/errors.js';
import { ResilienceOptionError } from '../resilience/errors.js';
import type { RateLimiter } from '../resilience/limiter/rate-limiter.js';
import { mustBeCount, mustBeOneOf } from '../resilience/option-rules.js';
import type { Policy } from '../resilience/policies/policy.js';
import { messageTypeOf, type MessageType } from '../message/message.js';
import { mustProtect } from './protection-options.js';
import type { AnySaga } from '../saga/saga-types.js';

type EventTypeOf<G extends AnySaga> = G['types']['event'];
type EventOf<G extends AnySaga> = InstanceType<EventTypeOf<G>>;

/** A message that a protected saga did not get. */
export interface RejectedMessage<G extends AnySaga = AnySaga> {
  readonly message: EventOf<G>;
  readonly tenant: string;
  /** Value of the instance's primary key. */
  readonly instance: string;
  /** Tenant, saga, instance and trigger as they were counted. */
  readonly key: string;
  readonly error: RateLimitExceededError | CircuitOpenError | BulkheadFullError;
}

/** How a saga is protected. */
export interface SagaProtection<G extends AnySaga = AnySaga> {
  /** Limits messages by {@link SagaProtection.per key}; local (each node by itself) or shared by all nodes. */
  readonly limiter?: RateLimiter;
  /** Breaks where handlers fail: one for the saga, or one made for each key and kept. */
  readonly breaker?: Policy | ((key: string) => Policy);
  /** Messages that are protected; others pass and cost nothing. Default: all events of the saga. */
  readonly monitoredTriggers?: readonly EventTypeOf<G>[];
  /** What is counted together, for each tenant and trigger: `'definition'` (default), all instances of the saga, or `'instance'`, each alone. */
  readonly per?: 'definition' | 'instance';
  /** Tokens that a message costs. Default: 1. */
  readonly cost?: (message: EventOf<G>) => number;
  /**
   * What becomes of a message that is rejected. `'later'` (default): it comes again when the limiter or breaker says, at least once, in its order among the messages
   * of its sender; that counts as no attempt. A function: the instance is told by the event of this saga that it makes, in the same commit that takes the message
   * out; `undefined`: later, as by default. It is called for each rejection.
   */
  readonly onRejected?: 'later' | ((rejected: RejectedMessage<G>) => EventOf<G> | undefined);
  /** Breakers kept, where they are made for each key; the one not used for longest goes first. Default: 10 000. */
  readonly maxBreakers?: number;
}

/**
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function checkSagaProtection(definition: AnySaga, protection: SagaProtection): void {
  const { per = 'definition', onRejected = 'later', maxBreakers = 1 } = protection;
  mustProtect(protection);
  mustBeOneOf({ per }, 'per', ['definition', 'instance']);
  mustBeCount({ maxBreakers }, 1, 'maxBreakers');
  if (onRejected !== 'later' && typeof onRejected !== 'function') {
    throw new ResilienceOptionError('onRejected', "must be 'later' or a function", onRejected);
  }
  for (const name of monitoredNames(protection) ?? []) {
    if (!definition.events.has(name))
      throw new ResilienceOptionError(
        'monitoredTriggers',
        `must be events of saga '${definition.name}'`,
        name,
      );
  }
}

/** Wire names of the messages that are protected; `undefined`: all. */
export function monitoredNames({ monitoredTriggers }: SagaProtection): readonly string[] | undefined {
  return monitoredTriggers?.map((type: MessageType) => type.messageName);
}

/**
 * The wire name of what `onRejected` has made for an instance.
 *
 * @throws ResilienceOptionError for what is no event of the saga, or is meant for another instance
 */
export function nameOfTold(definition: AnySaga, instance: string, told: object): string {
  const { messageName } = messageTypeOf(told);
  const event = definition.events.get(messageName);
  if (event === undefined) {
    throw new ResilienceOptionError(
      'onRejected',
      `must return an event of saga '${definition.name}'`,
      messageName,
    );
  }
  const key = event.key === definition.correlateBy ? event.keyOf(told) : instance;
  if (key === instance) return messageName;
  throw new ResilienceOptionError(
    'onRejected',
    `must return an event for the same instance, '${instance}'`,
    key,
  );
}
