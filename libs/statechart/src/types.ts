/** Anything with a `type`; the rest is payload. */
export interface EventObject {
  readonly type: string;
  readonly [key: string]: unknown;
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
    }
  | { readonly type: 'stop'; readonly id: string; readonly node: string; readonly epoch: number };

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
