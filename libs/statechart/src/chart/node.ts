import type { EventObject } from '../types.js';
import type { ActionSpec } from './action-spec.js';
import type { GuardSpec } from './guard-spec.js';

export type NodeType = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

/** A state of a compiled machine. Numbered in document order, so that a subtree is the range `index … end`. */
export interface Node {
  readonly index: number;
  readonly id: string;
  readonly key: string;
  /** Where it stands in the config: `order.states.paid`. */
  readonly path: string;
  /** Keys from the root, which are its id where it has none of its own: `order.paid`. */
  readonly trail: string;
  readonly type: NodeType;
  readonly parent: Node | null;
  readonly depth: number;
  /** One more than the index of the last descendant. */
  end: number;
  /** Children that can be active, so without history. */
  readonly children: Node[];
  /** All children by key, history included. */
  readonly byKey: Map<string, Node>;
  readonly histories: Node[];
  readonly history: 'shallow' | 'deep' | null;
  /** Where a history without memory leads; null means the parent's initial states. */
  historyDefault: readonly Node[] | null;
  /** Actions of a history's default transition. */
  historyActions: readonly ActionSpec[];
  initial: Initial | null;
  entry: readonly ActionSpec[];
  exit: readonly ActionSpec[];
  readonly transitions: Map<string, Transition[]>;
  /** Descriptors that end in a star, the longest first. */
  wildcards: readonly Wildcard[];
  always: readonly Transition[];
  afters: readonly After[];
  invokes: readonly Invoke[];
  tags: readonly string[];
  meta: unknown;
  description: string | undefined;
  output: Expression | undefined;
  /** Place in the snapshot's epochs; -1 where stays are not counted. */
  epochSlot: number;
}

export interface Initial {
  readonly targets: readonly Node[];
  readonly actions: readonly ActionSpec[];
}

export interface Wildcard {
  readonly descriptor: string;
  /** The descriptor without its star and dot; null for the star alone. */
  readonly prefix: string | null;
  readonly transitions: readonly Transition[];
}

export interface Transition {
  readonly index: number;
  /** Place in the document, which decides under SCXML's rules. */
  readonly order: number;
  readonly path: string;
  readonly source: Node;
  /** null: eventless. */
  readonly descriptor: string | null;
  readonly guard: GuardSpec | null;
  /** null: targetless. */
  targets: readonly Node[] | null;
  readonly actions: readonly ActionSpec[];
  readonly reenter: boolean;
  readonly description: string | undefined;
  readonly meta: unknown;
}

/** A literal, or a function of `{ context, event }`. */
export type Expression = { readonly path: string; readonly value: unknown };

export interface After {
  readonly id: string;
  readonly path: string;
  /** Milliseconds, or the name of a bound delay. */
  readonly delay: number | string;
  readonly event: EventObject;
}

export interface Invoke {
  readonly id: string;
  readonly src: string;
  readonly path: string;
  readonly input: Expression | undefined;
  readonly systemId: string | undefined;
  /** What SCXML runs when an event of this activity comes in, before transitions are selected. */
  readonly finalize: readonly ActionSpec[];
}

/** Is `node` strictly inside `ancestor`? */
export function isInside(node: Node, ancestor: Node): boolean {
  return node.index > ancestor.index && node.index < ancestor.end;
}

/** Ancestors of `node`, the nearest first, up to and without `top`; `null` goes up to the root. */
export function ancestorsOf(node: Node, top: Node | null): Node[] {
  const ancestors: Node[] = [];
  if (node === top) return ancestors;
  for (let at = node.parent; at !== null && at !== top; at = at.parent) ancestors.push(at);
  return ancestors;
}

/** Active children in document order. Looks at what is active, of which there is little, not at all children. */
export function activeChildren(node: Node, active: Iterable<Node>): Node[] {
  const children: Node[] = [];
  for (const other of active) if (other.parent === node) children.push(other);
  return children.length < 2 ? children : children.sort((a, b) => a.index - b.index);
}
