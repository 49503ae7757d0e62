import type { Semantics } from '../chart/chart.js';
import { ancestorsOf, isInside, type Node, type Transition } from '../chart/node.js';

/** What history states remember: for each, the states that were active when its parent was last left. */
export type Memory = ReadonlyMap<Node, readonly Node[]>;

/** What the algorithms need of a transition; the initial one is no transition of the chart. */
export type Move = Pick<Transition, 'source' | 'targets' | 'reenter'>;

/** Targets with history states replaced by what they stand for (SCXML: getEffectiveTargetStates). */
export function effectiveTargets(targets: readonly Node[] | null, memory: Memory): Node[] {
  if (targets === null) return [];
  const found = new Set<Node>();
  for (const target of targets) {
    const stands = target.type === 'history' ? recall(target, memory) : [target];
    for (const node of stands) found.add(node);
  }
  return [...found];
}

function recall(history: Node, memory: Memory): readonly Node[] {
  return memory.get(history) ?? effectiveTargets(historyDefault(history), memory);
}

/** Where a history without memory leads: its own target, the regions of a parallel parent, or the parent's initial states. */
export function historyDefault(history: Node): readonly Node[] {
  if (history.historyDefault !== null) return history.historyDefault;
  const parent = history.parent as Node;
  return parent.type === 'parallel' ? [parent] : (parent.initial?.targets ?? []);
}

/** The state inside which a transition happens; null: around the root (SCXML: getTransitionDomain). */
export function domainOf(move: Move, memory: Memory, semantics: Semantics): Node | null {
  const targets = effectiveTargets(move.targets, memory);
  const { source } = move;
  if (semantics === 'scxml') return scxmlDomain(move, targets);
  const staysInside = targets.every((target) => target === source || isInside(target, source));
  if (!move.reenter && staysInside) return source;
  const common = leastCommonAncestor([...targets, source]);
  if (common !== null) return common;
  return move.reenter ? null : rootOf(source);
}

function scxmlDomain(move: Move, targets: readonly Node[]): Node | null {
  const { source } = move;
  const internal = !move.reenter && source.type === 'compound';
  if (internal && targets.every((target) => isInside(target, source))) return source;
  const enclosing = ancestorsOf(source, null).filter(
    (node) => node.type === 'compound' || node.parent === null,
  );
  return enclosing.find((node) => targets.every((target) => isInside(target, node))) ?? null;
}

function rootOf(node: Node): Node {
  return ancestorsOf(node, null).at(-1) ?? node;
}

function leastCommonAncestor([head, ...rest]: readonly Node[]): Node | null {
  if (head === undefined) return null;
  return ancestorsOf(head, null).find((ancestor) => rest.every((node) => isInside(node, ancestor))) ?? null;
}

/** Active states that a transition leaves (SCXML: computeExitSet). */
export function exitSetOf(
  move: Move,
  active: ReadonlySet<Node>,
  memory: Memory,
  semantics: Semantics,
): Set<Node> {
  if (move.targets === null || move.targets.length === 0) return new Set();
  const domain = domainOf(move, memory, semantics);
  return new Set([...active].filter((node) => domain === null || isInside(node, domain)));
}

/**
 * Of transitions that would leave the same states only one is taken: the inner one, else the first
 * (SCXML: removeConflictingTransitions).
 */
export function withoutConflicts(
  moves: readonly Transition[],
  active: ReadonlySet<Node>,
  memory: Memory,
  semantics: Semantics,
): Transition[] {
  if (moves.length < 2) return [...moves];
  const kept = new Map<Transition, Set<Node>>();
  for (const move of moves) {
    const exits = exitSetOf(move, active, memory, semantics);
    const rivals = [...kept].filter(([, others]) => intersects(exits, others)).map(([rival]) => rival);
    if (rivals.some((rival) => !isInside(move.source, rival.source))) continue;
    for (const rival of rivals) kept.delete(rival);
    kept.set(move, exits);
  }
  return [...kept.keys()];
}

function intersects(a: ReadonlySet<Node>, b: ReadonlySet<Node>): boolean {
  for (const node of a) if (b.has(node)) return true;
  return false;
}
