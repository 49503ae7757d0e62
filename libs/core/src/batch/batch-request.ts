import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../message/message.js';
import type { BusRequestOptions, PublishOptions } from '../bus/message-bus.js';
import type { MachineRef } from '../orchestrator/machine-ref.js';
import type { SagaRepository, SagaWaitOptions } from '../saga/saga-repository.js';
import type { AnySaga, StateOf } from '../saga/saga-types.js';
import { BatchOptionError } from './batch-errors.js';

interface Correlated {
  /** Told with its result, and carried by its message. Default: a new one. */
  readonly correlationId?: string;
}

/** An event for a machine, through its mailbox. Succeeds when its step was adopted, with an `EventResult`. */
export interface MachineBatchRequest extends Correlated {
  /** The machine, or the id it was spawned with. */
  readonly machine: MachineRef | string;
  readonly event: EventObject;
  /** Milliseconds for this request alone. Default: the group's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** Where an instance of a saga is to come before its request counts as done. Made by {@link sagaGoal}. */
export interface SagaGoal {
  /** Settles with the instance when it is there. */
  reached(options: SagaWaitOptions): Promise<unknown>;
}

/** What {@link sagaGoal} is given. */
export interface SagaGoalOptions<G extends AnySaga> {
  /** The instance, by the value of the saga's `correlateBy`; it need not exist yet. */
  readonly key: string;
  /** One of these states, of which there is at least one. */
  readonly states: readonly StateOf<G>[];
  /** Default: 30 seconds. */
  readonly timeout?: SagaWaitOptions['timeout'];
}

/**
 * For `until` of a request: the saga is to be in one of these states, which are checked against its definition.
 *
 * @throws BatchOptionError where no state is given, or no key
 */
export function sagaGoal<G extends AnySaga>(
  saga: Pick<SagaRepository<G>, 'waitUntil'>,
  { key, states, timeout }: SagaGoalOptions<G>,
): SagaGoal {
  if (states.length === 0) throw new BatchOptionError('states', 'must name at least one state', '[]');
  if (typeof key !== 'string' || key === '')
    throw new BatchOptionError('key', 'must be the key of an instance', key);
  return {
    reached: (options) =>
      saga.waitUntil({ key }, states, { ...options, ...(timeout !== undefined && { timeout }) }),
  };
}

type MessageBatchOptions = Omit<PublishOptions, 'correlationId'>;

/** An event for sagas and handlers. Succeeds when it is durable, with its receipt; with `until`, when the saga is there, with the instance. */
export interface PublishBatchRequest extends Correlated {
  readonly publish: object;
  readonly options?: MessageBatchOptions;
  readonly until?: SagaGoal;
}

/** A command for exactly one handler or saga. Succeeds as {@link PublishBatchRequest} does. */
export interface SendBatchRequest extends Correlated {
  readonly send: object;
  readonly options?: MessageBatchOptions;
  readonly until?: SagaGoal;
}

/** A command whose handler replies. Succeeds with the reply. */
export interface AskBatchRequest extends Correlated {
  readonly ask: object;
  readonly options: Omit<BusRequestOptions<MessageType>, 'correlationId' | 'signal'>;
}

/** One thing that a batch does. */
export type BatchRequest = MachineBatchRequest | PublishBatchRequest | SendBatchRequest | AskBatchRequest;
