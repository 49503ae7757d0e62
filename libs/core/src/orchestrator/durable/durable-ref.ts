import type { EventOf, Machine, Snapshot } from '@nestjs-orchestrator/statechart';

/** What became of an event that was asked about. */
export interface DurableResult {
  /** A transition was taken. */
  readonly changed: boolean;
  /** An event with this id had been handled before: nothing happened now. */
  readonly duplicate: boolean;
  /** What an action of the step gave to `reply`. */
  readonly reply: unknown;
}

/** Of an event to a durable machine. */
export interface DurableSendOptions {
  /** By which a repeat is known: the machine handles one event of an id. Default: a new one. */
  readonly messageId?: string;
}

/** A durable machine, wherever it lives. */
export interface DurableRef<M extends Machine = Machine> {
  readonly id: string;
  /**
   * Settles when the event is safe: the transport's server has it, or, without a transport, its step is committed.
   *
   * @throws EventInvalidError, EventPayloadError, NotJsonError, PartitionFullError, GroupReleasedError; without a transport also what the step failed
   * with (as rejections)
   */
  send(event: EventOf<M>, options?: DurableSendOptions): Promise<void>;
  /**
   * Settles when the step is committed and its actions are done. A time-out says nothing about the event: ask again with the same id.
   *
   * @throws RequestTimeoutError, DurableRequestError (what it failed with there), and what `send` throws (as rejections)
   */
  request(
    event: EventOf<M>,
    options?: DurableSendOptions & { readonly timeoutMs?: number },
  ): Promise<DurableResult>;
  /**
   * The state as last committed.
   *
   * @throws UnknownMachineError (as a rejection)
   */
  snapshot(): Promise<Snapshot>;
}

/** What the names of a durable machine stand for; see `DurableActionContext` and `DurableActivityContext` for what its functions are called with. */
export interface DurableImplementations {
  readonly actions?: Readonly<Record<string, unknown>>;
  readonly guards?: Readonly<Record<string, unknown>>;
  readonly activities?: Readonly<Record<string, unknown>>;
  readonly delays?: Readonly<Record<string, unknown>>;
}
