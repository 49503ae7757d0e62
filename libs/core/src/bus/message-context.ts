import type { MessageType } from '../message/message.js';
import type { SendOptions } from '../handling/send-options.js';

/**
 * What a message handler (`@Handles`) is given. Its inbox row, its own writes through `manager` and its outgoing messages are one commit;
 * it may run again, so it changes nothing outside of that.
 */
export interface MessageContext<out M> {
  /** Id of the message. */
  readonly id: string;
  readonly tenant: string;
  /** The message, frozen. */
  readonly message: M;
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Aborts when the handler has taken longer than its time-out. */
  readonly signal: AbortSignal;
  /**
   * The transaction of this message, for the handler's own writes (TypeORM: `EntityManager`); `undefined` on the in-memory store. It is
   * opened for handlers that use it: the first use on each node ends the run and starts the message over, in a transaction.
   */
  readonly manager: unknown;
  publish(event: object, options?: SendOptions): void;
  send(command: object, options?: SendOptions): void;
  /** Answers the request that the message is; at most once. Without an asker it is only kept for a repeated request. */
  reply(message: object): void;
}

/** A handler as the host takes it. */
export interface MessageHandler {
  readonly message: MessageType;
  /** Stable name, part of stored rows: `PaymentHandlers.charge`. */
  readonly name: string;
  /** How many of its messages are handled on one node at the same time; default: as many as the node takes. */
  readonly concurrency?: number;
  readonly handle: (ctx: MessageContext<never>) => unknown;
}
