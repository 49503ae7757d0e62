import { activeChildren, type Node } from '../chart/node.js';
import type { Runtime } from '../engine/runtime.js';
import { SnapshotError } from '../errors.js';

/** A set of states that a machine can be in at once (SCXML 3.13): the root, one child of each compound state, all of each parallel one. */
export function checkLegal(runtime: Runtime, nodes: readonly Node[]): readonly Node[] {
  const active = new Set(nodes);
  const fault = active.has(runtime.chart.root)
    ? nodes.find((node) => !isLegal(node, active))
    : runtime.chart.root;
  if (fault === undefined) return nodes;
  const found = `state '${fault.id}' (${fault.type}) with ${activeChildren(fault, active).length} active children`;
  throw new SnapshotError(
    runtime.chart.id,
    found,
    'A compound state has one active child, a parallel one has all. Migrate the snapshot.',
  );
}

function isLegal(node: Node, active: ReadonlySet<Node>): boolean {
  const count = activeChildren(node, active).length;
  if (node.type === 'compound') return count === 1;
  return node.type === 'parallel' ? count === node.children.length : node.type !== 'history';
}
