import type {
  AnySaga,
  CompensationContext,
  ContextOf,
  GuardContext,
  StartContextOf,
  StateOf,
} from '@nestjs-orchestrator/core/saga';
import type { Duration } from '@nestjs-orchestrator/core';

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

/** The decorators of one saga; see {@link sagaDecorators}. */
export interface SagaDecorators<G extends AnySaga> {
  /** Marks the class that behaves as this saga. Applies `@Injectable()`; the class is a stateless singleton. */
  readonly Saga: () => (target: new (...args: never[]) => object) => void;
  /** The message that starts an instance; the method returns the whole initial data. */
  readonly StartedBy: <M extends G['types']['event']>(
    event: M,
    options: { readonly to: StateOf<G> },
  ) => MethodDecoratorFor<(ctx: StartContextOf<G, InstanceType<M>>) => Sync<G['types']['data']>>;
  /** One whole transition: event, source states, target. Repeatable on one method. */
  readonly On: <M extends G['types']['event'], const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    event: M,
    options: OnOptions<G, InstanceType<M>, T>,
  ) => MethodDecoratorFor<(ctx: ContextOf<G, InstanceType<M>>) => Sync<HandlerResult<T>>>;
  /** What happens when a stay in one of the states has lasted this long. Repeatable on one method. */
  readonly After: <const T extends StateOf<G> | readonly StateOf<G>[] = never>(
    delay: Duration,
    options: AfterOptions<G, T>,
  ) => TimerDecoratorFor<(ctx: ContextOf<G, never>) => Sync<HandlerResult<T>>>;
  /** Undoes the step of that name. It may run again, so it gives `ctx.idempotencyKey` to whom it calls. */
  readonly Compensation: <const N extends keyof G['types']['undo'] & string>(
    name: N,
  ) => MethodDecoratorFor<(input: G['types']['undo'][N], ctx: CompensationContext) => Promise<void>>;
}
