import type { ActionSpec } from './action-spec.js';
import type { Node, Transition } from './node.js';

/** How ties are broken where SCXML and XState v5 differ; see the table in docs/guides/statechart.md. */
export type Semantics = 'xstate' | 'scxml';

/** A machine config after reading: numbered, resolved, checked, not yet bound to implementations. */
export interface Chart {
  readonly id: string;
  readonly version: string | undefined;
  readonly root: Node;
  /** All states in document order. */
  readonly nodes: readonly Node[];
  readonly byId: ReadonlyMap<string, Node>;
  readonly transitions: readonly Transition[];
  /** States whose stays are counted, by epoch slot. */
  readonly counted: readonly Node[];
  /** Literal initial context, or a function of `{ input }`. */
  readonly context: unknown;
  readonly semantics: Semantics;
  readonly maxIterations: number;
  /** Inline functions by path, so that effects can name them. */
  readonly inlineActions: ReadonlyMap<string, unknown>;
  readonly inlineActors: ReadonlyMap<string, unknown>;
  /** Every action spec of the chart, for checks and listings. */
  readonly actions: readonly ActionSpec[];
  /** Two regions have `always`: the order in which leaves were entered then decides who moves first, as in XState. */
  readonly ordered: boolean;
}
