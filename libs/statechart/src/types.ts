import type { Configuration } from './engine/configuration.js';

/** Anything with a `type`; the rest is payload. */
export interface EventObject {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A macrostep under way: what lies between two microsteps. */
export interface Pending {
  /** Raised events that wait, the oldest first. */
  readonly queue: readonly EventObject[];
  /** The event that eventless transitions see. */
  readonly event: EventObject;
  /** The last eventless transition changed nothing, so that asking again would go round in a circle. */
  readonly settled: boolean;
  /** Microsteps taken so far. */
  readonly steps: number;
}

/** A machine's state at rest. Small, immutable, plain data: what `serialize` writes is what it is. */
export interface Snapshot<C = unknown> {
  /** Id of the machine this snapshot belongs to. */
  readonly machine: string;
  readonly status: 'active' | 'done' | 'error';
  readonly context: C;
  readonly output: unknown;
  readonly error: unknown;
  /** Tags of all active states, sorted. */
  readonly tags: readonly string[];
  /** Active states and what history remembers; shared by all snapshots that are in the same place. */
  readonly configuration: Configuration;
  /** Entry counts of the states that have timers or activities, by their slot; null where there are none. */
  readonly epochs: readonly number[] | null;
  /** null at rest. */
  readonly pending: Pending | null;
}

/**
 * What a step asks its runner to do: plain data, in execution order. The engine itself runs guards and `assign`, nothing else.
 */
export type Effect =
  /** A user's action. `name` is its declared name, or the path of an inline function (`order.states.paid.entry[0]`). */
  | { readonly type: 'action'; readonly name: string; readonly params: unknown }
  /** Arm an `after` timer of one stay in one state. `delay` in milliseconds; `event` is what to send when it is due. */
  | {
      readonly type: 'after';
      readonly id: string;
      readonly node: string;
      readonly epoch: number;
      readonly delay: number;
      readonly event: EventObject;
    }
  /** Disarm the timer, or withdraw the delayed send or raise, of that id. */
  | { readonly type: 'cancel'; readonly id: string }
  /** Start an activity for this stay in `node`; `stop` ends it. */
  | {
      readonly type: 'invoke';
      readonly id: string;
      readonly src: string;
      readonly input: unknown;
      readonly node: string;
      readonly epoch: number;
      readonly systemId?: string;
    }
  | { readonly type: 'stop'; readonly id: string; readonly node: string; readonly epoch: number }
  /** Send `event` to the actor `to` (`#_parent` is the parent), after `delay` milliseconds if there is one. */
  | {
      readonly type: 'send';
      readonly to: string;
      readonly event: EventObject;
      readonly id: string | undefined;
      readonly delay: number | undefined;
    }
  /** Send `event` to this very instance after `delay` milliseconds. */
  | {
      readonly type: 'raise';
      readonly event: EventObject;
      readonly id: string | undefined;
      readonly delay: number;
    }
  /** Tell whoever listens to this instance. */
  | { readonly type: 'emit'; readonly event: EventObject }
  | { readonly type: 'log'; readonly label: string | undefined; readonly value: unknown }
  /** Start an actor that no state's end stops: `stopChild` does, or the end of this instance. */
  | {
      readonly type: 'spawn';
      readonly id: string;
      readonly src: string;
      readonly input: unknown;
      readonly systemId: string | undefined;
    }
  | { readonly type: 'stopChild'; readonly id: string };

/** Outcome of a step. */
export interface Step<C = unknown> {
  readonly snapshot: Snapshot<C>;
  readonly effects: readonly Effect[];
  /**
   * A transition was taken (a targetless one too), or an internal event was consumed. `false` on an external event means that
   * no active state answers it; `false` on `microstep(machine, snapshot, null)` means that the macrostep is over.
   */
  readonly changed: boolean;
}

/** The value of a state as XState writes it: a leaf's name, or an object by active child. */
export type StateValue = string | { readonly [state: string]: StateValue };
