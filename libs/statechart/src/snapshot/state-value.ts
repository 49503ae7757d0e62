import { activeChildren, type Node } from '../chart/node.js';
import type { Configuration } from '../engine/configuration.js';
import { splitPath } from '../definition/targets.js';
import type { StateValue } from '../types.js';

/** The value of a configuration as XState writes it. */
export function valueOf(configuration: Configuration): StateValue {
  return valueInside(configuration.runtime.chart.root, configuration.active);
}

function valueInside(node: Node, active: ReadonlySet<Node>): StateValue {
  const children = activeChildren(node, active);
  const [only] = children;
  if (node.type === 'compound' && only !== undefined && isAtomic(only)) return only.key;
  return Object.fromEntries(children.map((child) => [child.key, valueInside(child, active)]));
}

function isAtomic(node: Node): boolean {
  return node.type === 'atomic' || node.type === 'final';
}

/** Does a configuration match a state value, or a dotted path? A parent's name matches whatever is inside it. */
export function matchesValue(
  configuration: Pick<Configuration, 'active' | 'runtime'>,
  value: StateValue,
): boolean {
  const nested = typeof value === 'string' ? nest(splitPath(value)) : value;
  return matchesInside(configuration.runtime.chart.root, configuration.active, nested);
}

function matchesInside(node: Node, active: ReadonlySet<Node>, value: StateValue): boolean {
  if (typeof value === 'string') return isActiveChild(node, active, value);
  if (isLeafName(node, active)) return false;
  return Object.entries(value).every(([key, inner]) => {
    const child = node.byKey.get(key);
    return child !== undefined && active.has(child) && matchesInside(child, active, inner);
  });
}

/** The value of a compound state in a leaf is a name: no object matches it, not even an empty one. */
function isLeafName(node: Node, active: ReadonlySet<Node>): boolean {
  return node.type === 'compound' && activeChildren(node, active).some(isAtomic);
}

function isActiveChild(node: Node, active: ReadonlySet<Node>, key: string): boolean {
  const child = node.byKey.get(key);
  return child !== undefined && active.has(child);
}

function nest([head = '', ...rest]: readonly string[]): StateValue {
  return rest.length === 0 ? head : { [head]: nest(rest) };
}
