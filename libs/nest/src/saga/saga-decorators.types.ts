import type {
  ActivityFailure,
  AnySaga,
  CompensationContext,
  ContextOf,
  GuardContext,
  SagaActivityContext,
  SagaPhase,
  StartContextOf,
  StateOf,
} from '@nestjs-orchestrator/core/saga';
import type { Duration } from '@nestjs-orchestrator/core';
import type { SagaClassProtection } from './saga-class-protection.js';

type Sync<T> = T | Promise<T>;

/** A decorator for methods of type `H`; the method's own parameter types are checked, not inferred. */
export type MethodDecoratorFor<H> = <F extends H>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/** As {@link MethodDecoratorFor}; refuses a method that reads an event, since a timer has none. */
export type TimerDecoratorFor<H> = <F extends H>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<F> & WithoutEvent<F>,
) => void;

type WithoutEvent<F> = F extends (ctx: infer C) => unknown
  ? C extends { readonly event: infer E }
    ? [E] extends [never]
      ? unknown
      : undefined extends E
        ? unknown
        : { readonly 'a timer has no event; write ContextOf<…, never>': E }
    : unknown
  : unknown;

/** What a handler returns: nothing where the target is fixed or missing, one of the targets where several are listed. */
export type HandlerResult<T> = [T] extends [never] ? void : T extends readonly (infer U)[] ? U : void;

/** Options of `@On`. */
export interface OnOptions<G extends AnySaga, E, T> {
  /** The states in which the event is answered. */
  readonly during: G['types']['state'] | readonly G['types']['state'][];
  /** One target; a list: the handler returns one of them; none: the saga stays. */
  readonly to?: T;
  /** Only if this holds. Transitions of one event are tried in class order. Pure: it may be asked again. */
  readonly if?: (ctx: GuardContext<E, G['types']['data']>) => boolean;
}

/** Options of `@After`. */
export interface AfterOptions<G extends AnySaga, T> {
  /** The states whose stays are timed. */
  readonly during: G['types']['state'] | readonly G['types']['state'][];
  /** One target; a list: the handler returns one of them; none: the saga stays. */
  readonly to?: T;
}

/** Options of `@On` for messages that come while an instance is undone, or after its end. */
export interface LateOptions<G extends AnySaga, E> {
  readonly during: SagaPhase | readonly SagaPhase[];
  /** Only if this holds. */
  readonly if?: (ctx: GuardContext<E, G['types']['data']>) => boolean;
}

/** Options of `@Always`. */
export interface AlwaysOptions<G extends AnySaga, T> extends AfterOptions<G, T> {
  readonly to: T;
  /** Only if this holds. Asked after every microstep. */
  readonly if?: (ctx: GuardContext<never, G['types']['data']>) => boolean;
}

/** Options of `@On` for composite events, of `@Scheduled` and of `@Done`. */
export interface InternalOptions<G extends AnySaga, T> extends AfterOptions<G, T> {
  /** Only if this holds. */
  readonly if?: (ctx: GuardContext<never, G['types']['data']>) => boolean;
}

/** `@On`: for events, for composite events by name, and for what comes late. */
export interface OnDecorator<G extends AnySaga> {
  /** One whole transition: event, source states, target. Repeatable on one method. */
  <M extends G['types']['event'], const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    event: M,
    options: OnOptions<G, InstanceType<M>, T>,
  ): MethodDecoratorFor<(ctx: ContextOf<G, InstanceType<M>>) => Sync<HandlerResult<T>>>;
  /** What is still done for a message while the instance is undone, or after its end: nothing moves the saga any more. */
  <M extends G['types']['event']>(
    event: M,
    options: LateOptions<G, InstanceType<M>>,
  ): MethodDecoratorFor<(ctx: ContextOf<G, InstanceType<M>>) => Sync<void>>;
  /** A composite event: all its members have come. */
  <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    composite: G['types']['words']['composite'],
    options: InternalOptions<G, T>,
  ): TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
}

/** Options of `@Saga`. */
export interface SagaOptions<G extends AnySaga> {
  /**
   * Limits the messages that come to the saga, or keeps them back while its handlers fail; see `protectSaga`. Unknown names and wrong options are boot errors. Of no
   * effect in `testSaga` and `sagaBehaviour`, which have no application.
   */
  readonly protect?: SagaClassProtection<G>;
}

/** The decorators of one saga; see {@link sagaDecorators}. */
export interface SagaDecorators<G extends AnySaga> {
  /** Marks the class that behaves as this saga. Applies `@Injectable()`; the class is a stateless singleton. */
  readonly Saga: (options?: SagaOptions<G>) => (target: new (...args: never[]) => object) => void;
  /** The message that starts an instance; the method returns the whole initial data. */
  readonly StartedBy: <M extends G['types']['event']>(
    event: M,
    options: { readonly to: StateOf<G> },
  ) => MethodDecoratorFor<(ctx: StartContextOf<G, InstanceType<M>>) => Sync<G['types']['data']>>;
  /** One whole transition: event, source states, target. Repeatable on one method. */
  readonly On: OnDecorator<G>;
  /** What happens when a stay in one of the states has lasted this long. Repeatable on one method. */
  readonly After: <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    delay: Duration,
    options: AfterOptions<G, T>,
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
  /** The timer of that name, which a handler has set with `ctx.schedule`. Repeatable on one method. */
  readonly Scheduled: <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    name: G['types']['words']['schedule'],
    options: InternalOptions<G, T>,
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
  /** As soon as the state is entered, or something was handled in it; before raised events, as in SCXML. Repeatable on one method. */
  readonly Always: <const T extends StateOf<G> | readonly StateOf<G>[]>(
    options: AlwaysOptions<G, T>,
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
  /** The states inside have come to their end. Repeatable on one method. */
  readonly Done: <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    options: InternalOptions<G, T>,
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
  /** Runs whenever one of the states is entered, an end too, after the handler of the transition that leads there. */
  readonly OnEntry: (
    state: StateOf<G> | readonly StateOf<G>[],
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<void>>;
  /** Runs whenever one of the states is left, before the handler of the transition that leads away. */
  readonly OnExit: (
    state: G['types']['state'] | readonly G['types']['state'][],
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<void>>;
  /** Runs the activity of that name. It may run again, so it gives `ctx.idempotencyKey` to whom it calls. */
  readonly Activity: <const N extends keyof G['types']['words']['activities'] & string>(
    name: N,
  ) => MethodDecoratorFor<
    (
      input: G['types']['words']['activities'][N]['input'],
      ctx: SagaActivityContext,
    ) => Promise<G['types']['words']['activities'][N]['output']>
  >;
  /** An activity that was invoked for one of these states has succeeded; the event is its output. Repeatable on one method. */
  readonly OnDone: <
    const N extends keyof G['types']['words']['activities'] & string,
    const T extends StateOf<G> | readonly StateOf<G>[] = never,
  >(
    activity: N,
    options: OnOptions<G, G['types']['words']['activities'][N]['output'], T>,
  ) => MethodDecoratorFor<
    (ctx: ContextOf<G, G['types']['words']['activities'][N]['output']>) => Sync<HandlerResult<T>>
  >;
  /** An activity that was invoked for one of these states has failed for good. Repeatable on one method. */
  readonly OnFailed: <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    activity: keyof G['types']['words']['activities'] & string,
    options: OnOptions<G, ActivityFailure, T>,
  ) => MethodDecoratorFor<(ctx: ContextOf<G, ActivityFailure>) => Sync<HandlerResult<T>>>;
  /** Undoes the step of that name. It may run again, so it gives `ctx.idempotencyKey` to whom it calls. */
  readonly Compensation: <const N extends keyof G['types']['undo'] & string>(
    name: N,
  ) => MethodDecoratorFor<(input: G['types']['undo'][N], ctx: CompensationContext) => Promise<void>>;
}
