import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../message/message.js';
import type { BusRequestOptions, PublishOptions } from '../bus/message-bus.js';
import type { MachineRef } from '../orchestrator/machine-ref.js';
import type { SagaWaitOptions } from '../saga/saga-repository.js';

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

/** Where an instance of a saga is to come before its request counts as done. */
export interface SagaGoal {
  /** Its repository, which waits. */
  readonly saga: {
    waitUntil(
      instance: string | { readonly key: string },
      until: readonly never[],
      options?: SagaWaitOptions,
    ): Promise<unknown>;
  };
  /** The instance, by the value of the saga's `correlateBy`. */
  readonly key: string;
  /** One of these states. */
  readonly states: readonly string[];
  /** Default: 30 seconds. */
  readonly timeout?: SagaWaitOptions['timeout'];
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
