import type { Duration } from '../message/duration.js';
import type { MessageType } from '../message/message.js';
import type { MissedPolicy, ScheduleTime } from './schedule/schedule-plan.js';
import type { HandledSaga } from '../saga/run/joined-run.js';
import type { ScheduleInfo } from './schedule/schedule-record.js';

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

/** Options of a request. */
export interface BusRequestOptions<R extends MessageType> extends Omit<PublishOptions, 'delay'> {
  /** The message that answers; several: the one that comes is an instance of its class. */
  readonly reply: R | readonly R[];
  /** How long to wait for it: at most an hour. Default 30 seconds. */
  readonly timeout?: Duration | number;
  /** Stops waiting; the request itself stays. */
  readonly signal?: AbortSignal;
}

/** Options of a schedule, beside when it fires. */
export interface ScheduleSettings {
  /** Names it, within its tenant: the same id again replaces it, `unschedule(id)` ends it. Default: a new one. */
  readonly id?: string;
  /** Whether its message is an event or a command. Default `'publish'`. */
  readonly as?: 'publish' | 'send';
  /**
   * What becomes of due times of a repeated schedule that went by while no node was up: `'skip'` lets them go, `'catch-up-once'` (default) fires
   * once for all of them. A firing that is late, but before the next due time, always happens.
   */
  readonly missed?: MissedPolicy;
  /** Default: the application's default tenant. */
  readonly tenant?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** When a schedule fires, and its settings. */
export type ScheduleOptions = ScheduleTime & ScheduleSettings;

/** Says that a message is durable. */
export interface PublishReceipt {
  readonly messageId: string;
}

/** Options of a message that is handled in a transaction of the caller's. */
export type HandleOptions = Omit<PublishOptions, 'delay'>;

/** What became of a message that was handled in a transaction of the caller's. */
export interface HandledReceipt extends PublishReceipt {
  /** How each saga that answers it has handled it. */
  readonly sagas: readonly HandledSaga[];
}

/** A bus that writes into a transaction of the caller's: its messages exist when that transaction commits, or never. */
export interface TransactionalBus {
  publish(event: object, options?: PublishOptions): Promise<PublishReceipt>;
  send(command: object, options?: PublishOptions): Promise<PublishReceipt>;
  /**
   * Has every saga that answers a message handle it now, in the transaction: it is started, or goes on, exactly if that commits. Its handlers run once.
   * What they send, timers and other answers (`@Handles`, sagas by a key of many) are for after the commit.
   *
   * Until the transaction ends, others who want the same instance back off. If they were first, this throws, and the transaction has to be rolled back.
   *
   * @throws SagaConflictError, SagaKeyTakenError, UnexpectedEventError; what handlers throw; and as `publish`
   */
  handle(message: object, options?: HandleOptions): Promise<HandledReceipt>;
}

/**
 * The way into the framework from outside: controllers, jobs, tests. Handlers use their context's verbs instead.
 *
 * Both verbs settle when the message is durable, before it is handled; with the option `handleOnPublish` it may have been handled then.
 */
export abstract class MessageBus implements Pick<TransactionalBus, 'publish' | 'send'> {
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
   * Sends a command and waits for what its handler answers by `ctx.reply`. The reply leaves with the commit of the handling; a request that
   * is asked again with the same id gets the reply of the first handling.
   *
   * @throws NoRouteError, RemoteRequestError for a command that another application handles, ReplyTimeoutError, NoReplyError when its handler did not reply, RequestFailedError when it was given up,
   * UnexpectedReplyError, RequestAbortedError; and as {@link publish}
   */
  abstract request<R extends MessageType>(
    command: object,
    options: BusRequestOptions<R>,
  ): Promise<InstanceType<R>>;
  /**
   * Sends a message at due times: `{ at }`, `{ in: '2h' }`, `{ every: '15m' }` or `{ cron: '0 6 * * 1', timezone: 'Europe/Berlin' }`. The schedule is
   * durable, and of all nodes one fires each due time, with a message id of its own. A schedule of that id is replaced, unless it means the same:
   * an application may repeat its schedules at each start.
   *
   * Due times are told by the clock of the store. Each message carries headers `schedule-id` and `schedule-due`.
   *
   * @throws ScheduleError, ScheduleConflictError; NoRouteError for a command; and as {@link publish}
   */
  abstract schedule(message: object, options: ScheduleOptions): Promise<ScheduleInfo>;
  /** Ends a schedule. `false`: there is none that would fire again. What has fired already is under way. */
  abstract unschedule(id: string, options?: { readonly tenant?: string }): Promise<boolean>;
  /** When a schedule fires next and fired last. */
  abstract findSchedule(
    id: string,
    options?: { readonly tenant?: string },
  ): Promise<ScheduleInfo | undefined>;
  /**
   * Joins a transaction of the caller's (TypeORM: its `EntityManager`).
   *
   * @throws StoreTransactionError if the store has no such transactions
   */
  abstract within(transaction: unknown): TransactionalBus;
}
