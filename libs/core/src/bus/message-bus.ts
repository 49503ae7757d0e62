import type { Duration } from '../message/duration.js';

/** Options of a message that enters from outside. */
export interface PublishOptions {
  /**
   * The message's id, from its source: the same message offered twice carries the same id and has one effect. Default: a new
   * one, with which a repeated call is a new message.
   */
  readonly id?: string;
  /** Default: the application's default tenant. */
  readonly tenant?: string;
  /** Default: the message's own id. */
  readonly correlationId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Deliver it not before this long from now. */
  readonly delay?: Duration | number;
}

/** Says that a message is durable. */
export interface PublishReceipt {
  readonly messageId: string;
}

/** A bus that writes into a transaction of the caller's: its messages exist when that transaction commits, or never. */
export interface TransactionalBus {
  publish(event: object, options?: PublishOptions): Promise<PublishReceipt>;
  send(command: object, options?: PublishOptions): Promise<PublishReceipt>;
}

/**
 * The way into the framework from outside: controllers, jobs, tests. Handlers use their context's verbs instead.
 *
 * Both verbs settle when the message is durable, before it is handled.
 */
export abstract class MessageBus implements TransactionalBus {
  /**
   * Publishes an event: every saga and handler that answers it gets it.
   *
   * @throws MessageValidationError, NotJsonError, PayloadTooLargeError, CorrelationError, StoreUnavailableError
   */
  abstract publish(event: object, options?: PublishOptions): Promise<PublishReceipt>;
  /**
   * Sends a command: exactly one handler gets it.
   *
   * @throws NoRouteError when nobody, or more than one, answers it; and as {@link publish}
   */
  abstract send(command: object, options?: PublishOptions): Promise<PublishReceipt>;
  /**
   * Joins a transaction of the caller's (TypeORM: its `EntityManager`).
   *
   * @throws StoreTransactionError if the store has no such transactions
   */
  abstract within(transaction: unknown): TransactionalBus;
}
