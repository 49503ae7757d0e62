import type { BuiltinAction, ConfigOf, Machine } from '@nestjs-orchestrator/statechart';
import type { ActivityContext, GuardContext, OrchestratedContext } from './contexts.js';

/** An action: a function, or a built-in one such as `assign(…)`. One that returns no promise costs no turn. */
export type ActionImplementation<M extends Machine> =
  ((ctx: OrchestratedContext<M>, params: never) => void | Promise<void>) | BuiltinAction;

/** A guard: pure and synchronous. */
export type GuardImplementation<M extends Machine> = (ctx: GuardContext<M>, params: never) => boolean;

/**
 * An activity. What it returns, or its promise, is the `output` of its done event; what it throws is the `error` of its error event. A
 * function that it returns is called when its state is left, and then there is no done event.
 */
export type ActivityImplementation<M extends Machine> = (ctx: ActivityContext<M, never>) => unknown;

/** Milliseconds, or a pure function that returns them. */
export type DelayImplementation<M extends Machine> =
  number | ((ctx: GuardContext<M>, params: never) => number);

/** What a machine's names stand for. What is given here goes before what the definition bound already. */
export interface MachineImplementations<M extends Machine = Machine> {
  readonly actions?: { readonly [K in ActionNameOf<M>]?: ActionImplementation<M> };
  readonly guards?: { readonly [K in GuardNameOf<M>]?: GuardImplementation<M> };
  /** By the `src` of `invoke` and `spawnChild`; a machine makes a child machine. */
  readonly activities?: { readonly [K in ActivityNameOf<M>]?: ActivityImplementation<M> | Machine };
  readonly delays?: { readonly [K in DelayNameOf<M>]?: DelayImplementation<M> };
}

/**
 * Names of the actions that a literal config uses; `string` where it is no literal. Names that only functions and built-in actions use
 * (`enqueueActions`, `spawnChild`) can't be seen here; bind those with `provide`.
 */
export type ActionNameOf<M> = NameIn<ConfigOf<M>, 'action'>;

/** Names of the guards that a literal config uses, as {@link ActionNameOf}. */
export type GuardNameOf<M> = NameIn<ConfigOf<M>, 'guard'>;

/** Names of the activities (`src`) that a literal config invokes, as {@link ActionNameOf}. */
export type ActivityNameOf<M> = NameIn<ConfigOf<M>, 'activity'>;

/** Names of the delays that a literal config uses, as {@link ActionNameOf}. */
export type DelayNameOf<M> = NameIn<ConfigOf<M>, 'delay'>;

type Kind = 'action' | 'guard' | 'activity' | 'delay';

type NameIn<C, K extends Kind> = C extends { readonly states: infer S }
  ? string extends keyof S
    ? string
    : NamesInNode<NodeIn<C>>[K]
  : string;

/** A node and all nodes in it. */
type NodeIn<N> =
  N | (N extends { readonly states: infer S } ? { [K in keyof S]: NodeIn<S[K]> }[keyof S] : never);

interface NamesInNode<N> {
  readonly action:
    NameOf<Values<N, 'entry' | 'exit' | 'onEntry' | 'onExit'>> | NameOf<Values<TransitionIn<N>, 'actions'>>;
  readonly guard: GuardName<Values<TransitionIn<N>, 'guard' | 'cond'>>;
  readonly activity: NameOf<Values<Each<Values<N, 'invoke'>>, 'src'>> | NameOf<Values<N, 'activities'>>;
  readonly delay: N extends { readonly after: infer A } ? DelayKey<keyof A> : never;
}

/** What stands under these keys, over all members of a union. */
type Values<N, K extends string> = N extends object ? N[K & keyof N] : never;

/** Elements of a list; anything else is its own only element. */
type Each<V> = V extends readonly (infer E)[] ? E : V;

type TransitionIn<N> = Each<
  | Values<N, 'always' | 'onDone'>
  | Inside<Values<N, 'on' | 'after'>>
  | Values<Each<Values<N, 'invoke'>>, 'onDone' | 'onError' | 'onSnapshot'>
>;

type Inside<O> = O extends object ? O[keyof O] : never;

/** A string, or the `type` of an object; what the creators made has no name here. */
type NameOf<V> = V extends readonly (infer E)[]
  ? NameOf<E>
  : V extends string
    ? V
    : V extends { readonly type: infer T extends string }
      ? T extends `xstate.${string}`
        ? never
        : T
      : never;

type GuardName<V> = V extends { readonly guards: readonly (infer G)[] } ? GuardName<G> : NameOf<V>;

type DelayKey<D> = D extends string ? (D extends `${number}` ? never : D) : never;
