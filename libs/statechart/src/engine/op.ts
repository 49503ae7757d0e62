import type { Effect, EventObject } from '../types.js';
import type { Configuration } from './configuration.js';
import type { Node } from '../chart/node.js';
import type { Runtime } from './runtime.js';

/** One thing to do in a microstep: hand out an effect that is known beforehand, or run something on the frame. */
export type Op =
  | { readonly effect: Effect; readonly run: null }
  | { readonly effect: null; readonly run: (frame: Frame) => void };

/** What a macrostep under way works on. Lives no longer than the call that made it. */
export interface Frame {
  readonly runtime: Runtime;
  configuration: Configuration;
  /** States active in the middle of a microstep; kept under SCXML's rules only, where `In` sees them. */
  view: { readonly runtime: Runtime; readonly active: Set<Node> } | null;
  context: unknown;
  /** The event being processed; eventless transitions see the one before them. */
  event: EventObject;
  effects: Effect[];
  queue: EventObject[];
  epochs: readonly number[] | null;
  status: 'active' | 'done' | 'error';
  output: unknown;
  error: unknown;
  /** Something happened for which XState makes a new snapshot. */
  touched: boolean;
  /** The last microstep was eventless and touched nothing. */
  settled: boolean;
  steps: number;
}

export function effectOp(effect: Effect): Op {
  return { effect: Object.freeze(effect), run: null };
}

export function runOp(run: (frame: Frame) => void): Op {
  return { effect: null, run };
}
