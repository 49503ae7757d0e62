import type { Implementations, Machine } from '../machine.js';
import type { EventObject } from '../types.js';

/** Names that implementations declare: keys of an object, or the elements of a list; `string` where nothing is declared. */
export interface NamesOf<I extends Implementations> {
  readonly action: DeclaredNames<I, 'actions'>;
  readonly guard: DeclaredNames<I, 'guards'>;
  readonly delay: DeclaredNames<I, 'delays'>;
  readonly event: DeclaredNames<I, 'events'>;
}

type DeclaredNames<I, K extends string> = I extends { readonly [P in K]: infer D }
  ? D extends readonly (infer N extends string)[]
    ? N
    : keyof D & string
  : string;

/** Config of a machine. */
export type ConfigOf<M> = M extends Machine<infer C> ? C : never;

/** Context of a machine: what `types.context` says, what `context` returns, or the literal's widened type. */
export type ContextOf<M> = ContextIn<ConfigOf<M>>;

type ContextIn<C> = C extends { readonly types: { readonly context: infer X } }
  ? X
  : C extends { readonly context: infer X }
    ? X extends (...args: never) => infer R
      ? R
      : Widen<X>
    : unknown;

/** A literal's type without its exact values. */
type Widen<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends readonly (infer E)[]
        ? readonly Widen<E>[]
        : T extends object
          ? { readonly [K in keyof T]: Widen<T[K]> }
          : T;

/** Events a machine may be sent: what `types.events` says, else every type that a state of a literal config answers. */
export type EventOf<M> = EventIn<ConfigOf<M>>;

type EventIn<C> = C extends { readonly types: { readonly events: infer E } }
  ? E | EngineEvent
  : C extends { readonly states: infer S }
    ? string extends keyof S
      ? EventObject
      : Sendable<EventNames<C>>
    : EventObject;

/** Timers, completions and outcomes of activities, as effects name them. */
interface EngineEvent extends EventObject {
  readonly type: `xstate.${string}`;
}

type Sendable<Name extends string> = string extends Name
  ? EventObject
  : EventObject & { readonly type: Name | `xstate.${string}` };

type EventNames<N> =
  | (N extends { readonly on: infer O } ? Answered<keyof O & string> : never)
  | (N extends { readonly states: infer S } ? { [K in keyof S]: EventNames<S[K]> }[keyof S] : never);

type Answered<D extends string> = D extends '*'
  ? string
  : D extends `${infer P}.*`
    ? P | `${P}.${string}`
    : D;

/** Names of the states of a literal config, as `matches` takes them: `a`, `a.b`. */
export type StateOf<M> = PathsIn<ConfigOf<M>>;

type PathsIn<N> = N extends { readonly states: infer S }
  ? string extends keyof S
    ? string
    : { [K in keyof S & string]: K | `${K}.${PathsIn<S[K]>}` }[keyof S & string]
  : never;
