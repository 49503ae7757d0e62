/**
 * What a literal config has to be, worked out from itself: targets, initial states and names that don't exist are compile errors.
 * Values that are no literals (a config read from JSON) pass here and are checked at run time.
 */
export type CheckMachine<C, N extends Names> =
  IsLiteral<C> extends true ? CheckNode<C, never, IdTargets<C>, N> : unknown;

/** Names a config may use; `string` where none were declared. */
export interface Names {
  readonly action: string;
  readonly guard: string;
  readonly event: string;
  readonly delay: string;
}

/** A machine object, a config without states, or one whose states have no literal names, is checked at run time only. */
type IsLiteral<C> = C extends { readonly implementations: unknown }
  ? false
  : C extends { readonly states: infer S }
    ? string extends keyof S
      ? false
      : true
    : false;

/** Dotted paths to everything below a state: `a`, `a.b`. */
type Paths<N> = N extends { readonly states: infer S }
  ? string extends keyof S
    ? string
    : { [K in keyof S & string]: K | `${K}.${Paths<S[K]>}` }[keyof S & string]
  : never;

/** Targets by id, from anywhere: `#id` and `#id.path`. */
type IdTargets<N> =
  | (N extends { readonly id: infer I extends string } ? `#${I}` | `#${I}.${Paths<N>}` : never)
  | (N extends { readonly states: infer S } ? { [K in keyof S]: IdTargets<S[K]> }[keyof S] : never);

/**
 * One of these names. The second half no string ever is: it keeps TypeScript from folding a config with one wrong name into `never`
 * as a whole, so that the error stands at the name.
 */
type OneOf<S extends string> = S | { readonly 'no such name': never };

type CheckNode<N, Siblings extends string, ById extends string, L extends Names> = {
  readonly [K in keyof N]: K extends 'on'
    ? CheckOn<N[K], Siblings | `.${Paths<N>}` | ById, L>
    : K extends 'after'
      ? CheckAfter<N[K], Siblings | `.${Paths<N>}` | ById, L>
      : K extends 'always' | 'onDone'
        ? CheckTransition<N[K], Siblings | `.${Paths<N>}` | ById, L>
        : K extends 'invoke'
          ? CheckInvoke<N[K], Siblings | `.${Paths<N>}` | ById, L>
          : K extends 'states'
            ? CheckStates<N[K], ById, L>
            : K extends 'initial'
              ? CheckInitial<N[K], Paths<N> | ById, L>
              : K extends 'entry' | 'exit'
                ? CheckActions<N[K], L>
                : K extends NodeKey
                  ? N[K]
                  : never;
};

type NodeKey =
  | 'id'
  | 'type'
  | 'context'
  | 'history'
  | 'target'
  | 'tags'
  | 'meta'
  | 'description'
  | 'output'
  | 'version'
  | 'types'
  | 'schemas'
  | 'options'
  | 'activities'
  | 'onEntry'
  | 'onExit'
  | 'data'
  | 'actions'
  | 'order'
  | 'key'
  | '$schema';

type CheckStates<S, ById extends string, L extends Names> = {
  readonly [K in keyof S]: CheckNode<S[K], Paths<{ readonly states: S }>, ById, L>;
};

type CheckOn<O, T extends string, L extends Names> = {
  readonly [E in keyof O]: E extends EventKey<L['event']> ? CheckTransition<O[E], T, L> : never;
};

type EventKey<E extends string> = E | '*' | `${string}.*`;

type CheckAfter<O, T extends string, L extends Names> = {
  readonly [D in keyof O]: D extends number | `${number}` | L['delay'] ? CheckTransition<O[D], T, L> : never;
};

type CheckTransition<O, T extends string, L extends Names> = O extends string
  ? CheckTarget<O, T>
  : O extends readonly unknown[]
    ? { readonly [I in keyof O]: CheckTransition<O[I], T, L> }
    : O extends object
      ? { readonly [K in keyof O]: CheckTransitionKey<K, O[K], T, L> }
      : O;

type CheckTransitionKey<K, V, T extends string, L extends Names> = K extends 'target'
  ? CheckTarget<V, T>
  : K extends 'actions'
    ? CheckActions<V, L>
    : K extends 'guard' | 'cond'
      ? CheckGuard<V, L>
      : K extends 'reenter' | 'description' | 'meta' | 'internal' | 'in' | 'order'
        ? V
        : never;

type CheckTarget<V, T extends string> = V extends string
  ? string extends V
    ? V
    : OneOf<T>
  : V extends readonly unknown[]
    ? { readonly [I in keyof V]: CheckTarget<V[I], T> }
    : V;

type CheckInitial<V, T extends string, L extends Names> = V extends string | readonly unknown[]
  ? CheckTarget<V, T>
  : V extends object
    ? {
        readonly [K in keyof V]: K extends 'target'
          ? CheckTarget<V[K], T>
          : K extends 'actions'
            ? CheckActions<V[K], L>
            : V[K];
      }
    : V;

type CheckActions<V, L extends Names> = V extends readonly unknown[]
  ? { readonly [I in keyof V]: CheckName<V[I], L['action']> }
  : CheckName<V, L['action']>;

type CheckGuard<V, L extends Names> = V extends { readonly guards: readonly unknown[] }
  ? V
  : CheckName<V, L['guard']>;

/** A name, or an object whose `type` is a name; functions and what the creators made pass. */
type CheckName<V, Name extends string> = V extends string
  ? string extends V
    ? V
    : OneOf<Name>
  : V extends { readonly type: infer T extends string }
    ? T extends `xstate.${string}`
      ? V
      : string extends T
        ? V
        : { readonly [K in keyof V]: K extends 'type' ? OneOf<Name> : V[K] }
    : V;

type CheckInvoke<V, T extends string, L extends Names> = V extends readonly unknown[]
  ? { readonly [I in keyof V]: CheckInvoke<V[I], T, L> }
  : V extends object
    ? {
        readonly [K in keyof V]: K extends 'onDone' | 'onError' | 'onSnapshot'
          ? CheckTransition<V[K], T, L>
          : V[K];
      }
    : V;
