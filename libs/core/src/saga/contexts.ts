import type { SendOptions } from '../handling/send-options.js';
import type { Duration } from '../message/duration.js';
import type { InvokeOptions } from './activity/activity-types.js';
import type { AnySaga, SagaWords } from './saga-types.js';

/**
 * What a saga's handler is given. Handlers may run again (conflict, crash, redelivery), so they change nothing outside: what they want
 * done they record with these verbs, and it happens after the commit. A verb called after the handler settled throws.
 *
 * @typeParam M the event's type
 * @typeParam D the saga's data
 * @typeParam C the inputs of its compensations, by name
 * @typeParam W its further words: keys, schedules, commands
 */
export interface SagaContext<out M, in out D, in out C, in out W extends SagaWords = SagaWords> {
  /** Id of the instance. */
  readonly id: string;
  readonly tenant: string;
  /** Id of the message that is handled. */
  readonly messageId: string;
  /** Aborts when the handler has taken longer than its time-out. */
  readonly signal: AbortSignal;
  /** The event, frozen. */
  readonly event: M;
  /** A private draft of the saga's data: change it freely. What a handler of `during('ended')` changes is dropped. */
  data: D;
  /** Sends a command: exactly one handler gets it. */
  send(command: W['command'], options?: SendOptions): void;
  /** Publishes an event: any number of handlers get it. */
  publish(event: object, options?: SendOptions): void;
  /** Answers the request that the event is; at most once per event. Without an asker it is only kept for a repeated request. */
  reply(message: object): void;
  /** Records an undo step, to be run if the saga ends in an `undo` end. Record it with the command it undoes. */
  compensateWith<const N extends keyof C & string>(name: N, input: C[N], options?: CompensateOptions): void;
  /**
   * Runs an activity after the commit. Its outcome is answered by `@OnDone` or `@OnFailed` of a state that is active when this step is done; if
   * that is left before, the activity is cancelled by its signal. Like every verb it is safe to record again: each invocation has one id.
   */
  invoke<const N extends keyof W['activities'] & string>(
    activity: N,
    input: W['activities'][N]['input'],
    options?: InvokeOptions<C>,
  ): void;
  /** The point of no return: what was recorded with `compensateWith` so far is kept, however the saga ends. */
  pivot(): void;
  /**
   * Sets the timer of that name: `delay` after the commit it is answered as the current state says, or not at all. Setting it again replaces it;
   * the end of the saga ends it.
   */
  schedule(name: W['schedule'], delay: Duration | number): void;
  /** Ends the timer of that name, if it is set. */
  unschedule(name: W['schedule']): void;
  /** Records the instance's value of a further key: from the commit on, messages that come by it find the instance. */
  correlateWith(key: W['key'], value: string): void;
  /** Milliseconds since the epoch, the same when the handler runs again: when the message was sent, or the timer was due. */
  now(): number;
  /** A new UUID, the same when the handler runs again. */
  uuid(): string;
  /** A number in [0, 1), the same when the handler runs again. */
  random(): number;
}

/** Options of `compensateWith`. */
export interface CompensateOptions {
  /**
   * Steps of one scope that are recorded one after the other don't depend on each other's order: they are undone beside each other. What was recorded
   * between them is undone between them. Default: one after the other, last first.
   */
  readonly scope?: string;
}

/** What a start handler is given: as {@link SagaContext}, but there is no data yet, it returns it. */
export type StartContext<M, C, W extends SagaWords = SagaWords> = Omit<SagaContext<M, never, C, W>, 'data'>;

/** What a compensation is given. */
export interface CompensationContext {
  /** Id of the instance that is undone. */
  readonly id: string;
  readonly tenant: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every try of this step: give it to the service that undoes, so that it undoes once. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** Sends a command with the outcome of this step. If the step's `undo` policy names its answer, the step is done when that has come. */
  send(command: object, options?: SendOptions): void;
}

/** What a guard is given. */
export interface GuardContext<M, D> {
  readonly data: Readonly<D>;
  readonly event: M;
}

/** The context of a handler of saga `G` for message `M`. */
export type ContextOf<G extends AnySaga, M> = SagaContext<
  M,
  G['types']['data'],
  G['types']['undo'],
  G['types']['words']
>;

/** The context of a start handler of saga `G` for message `M`. */
export type StartContextOf<G extends AnySaga, M> = StartContext<M, G['types']['undo'], G['types']['words']>;
