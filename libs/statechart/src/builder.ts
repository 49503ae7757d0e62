import * as create from './actions/creators.js';
import type { Args, BuiltinAction, EnqueueArgs, Expression, SendOptions } from './actions/creators.js';
import { defineMachine, type Implementations, type Machine } from './machine.js';
import type { EventObject } from './types.js';
import type { CheckMachine } from './typing/check-config.js';
import type { NamesOf } from './typing/infer.js';

/** What a machine is about, said once as types. */
export interface MachineTypes {
  readonly context?: object;
  readonly events?: EventObject;
}

type ContextFor<T extends MachineTypes> = T extends { readonly context: infer C extends object }
  ? C
  : create.Data;
type EventFor<T extends MachineTypes> = T extends { readonly events: infer E extends EventObject }
  ? E
  : EventObject;

/** Creators whose functions know context and events, and a `define` whose machine does. */
export interface TypedBuilder<T extends MachineTypes> {
  assign(
    assignment:
      | ((args: Args<ContextFor<T>, EventFor<T>>, params: never) => Partial<ContextFor<T>>)
      | { readonly [K in keyof ContextFor<T>]?: Expression<ContextFor<T>[K], ContextFor<T>, EventFor<T>> },
  ): BuiltinAction;
  raise(event: Expression<EventFor<T>, ContextFor<T>, EventFor<T>>, options?: SendOptions): BuiltinAction;
  enqueueActions(
    collect: (args: EnqueueArgs<ContextFor<T>, EventFor<T>>, params: never) => void,
  ): BuiltinAction;
  /** A guard in place; returns the function as it is. */
  guard<G extends (args: Args<ContextFor<T>, EventFor<T>>, params: never) => boolean>(guard: G): G;
  /** An expression in place, say an `input` or `output`; returns the function as it is. */
  expression<F extends (args: Args<ContextFor<T>, EventFor<T>>, params: never) => unknown>(expression: F): F;
  /** `defineMachine`, for a machine with this context and these events. */
  define<const C, const I extends Implementations = Record<never, never>>(
    config: C & CheckMachine<C, NamesOf<I>>,
    implementations?: I,
  ): Machine<C & { readonly types: { readonly context: ContextFor<T>; readonly events: EventFor<T> } }>;
}

/**
 * The typed front door: `const door = machineTypes<{ context: Door; events: Opened | Closed }>()`, then `door.define({ … })` with
 * `door.assign`, `door.guard` and the like. Types only: what it returns are the plain creators.
 */
export function machineTypes<T extends MachineTypes>(): TypedBuilder<T> {
  const same = (value: unknown): unknown => value;
  const builder = {
    assign: create.assign,
    raise: create.raise,
    enqueueActions: create.enqueueActions,
    guard: same,
    expression: same,
    define: defineMachine,
  };
  return builder as unknown as TypedBuilder<T>;
}
