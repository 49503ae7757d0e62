import type { Chart } from '../chart/chart.js';
import { ancestorsOf, type Node } from '../chart/node.js';
import { historyDefault } from '../engine/sets.js';

/** A state to be looked at; by default: its initial states are entered with it. */
interface Visit {
  readonly node: Node;
  readonly byDefault: boolean;
}

/**
 * States that some sequence of events may enter, if guards let it: from the initial states along all transitions of states found so
 * far. What a history leads back to was entered before, so its default is all it adds.
 */
export function reachableFrom(chart: Chart): ReadonlySet<Node> {
  const found = new Map<Node, boolean>();
  const waiting: Visit[] = [{ node: chart.root, byDefault: true }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { node, byDefault } = visit;
    const before = found.get(node);
    if (before === true || before === byDefault) continue;
    found.set(node, byDefault);
    if (before === undefined) waiting.push(...around(node), ...targetsOf(node));
    if (byDefault) waiting.push(...inside(node));
  }
  return new Set(found.keys());
}

/** Ancestors come along; of parallel ones all regions do. */
function around(node: Node): Visit[] {
  return ancestorsOf(node, null).flatMap((ancestor): Visit[] => [
    { node: ancestor, byDefault: false },
    ...(ancestor.type === 'parallel'
      ? ancestor.children.map((child) => ({ node: child, byDefault: beside(child, node) }))
      : []),
  ]);
}

function beside(region: Node, node: Node): boolean {
  return node.index < region.index || node.index >= region.end;
}

function inside(node: Node): Visit[] {
  if (node.type === 'history') return historyDefault(node).map(asDefault);
  if (node.type === 'parallel') return node.children.map(asDefault);
  return (node.initial?.targets ?? []).map(asDefault);
}

function targetsOf(node: Node): Visit[] {
  const moves = [...[...node.transitions.values()].flat(), ...node.always];
  return moves.flatMap(({ targets }) => (targets ?? []).map(asDefault));
}

function asDefault(node: Node): Visit {
  return { node, byDefault: true };
}
