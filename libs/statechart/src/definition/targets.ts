import { isInside, type Node } from '../chart/node.js';
import { listOf, type Reading } from './reading.js';

const EXPECTED = "a sibling ('a', 'a.b'), an own descendant ('.a') or an id ('#id')";

/** Resolves the targets of a transition as XState does; null stands for a targetless one. */
export function resolveTargets(
  reading: Reading,
  source: Node,
  raw: unknown,
  path: string,
): readonly Node[] | null {
  if (raw === undefined || raw === null || raw === '') return null;
  const base = (name: string): Node | null => (name.startsWith('.') ? source : source.parent);
  return resolveAll(reading, raw, path, base);
}

/** Resolves targets that are written relative to `parent`: those of `initial` and of history defaults. */
export function resolveInside(reading: Reading, parent: Node, raw: unknown, path: string): readonly Node[] {
  const targets = resolveAll(reading, raw, path, () => parent);
  for (const target of targets) {
    const inside = isInside(target, parent) || target === parent;
    if (!inside) reading.fault(path, `#${target.id}`, `a state inside ${parent.path}`);
  }
  return targets;
}

function resolveAll(
  reading: Reading,
  raw: unknown,
  path: string,
  base: (name: string) => Node | null,
): readonly Node[] {
  const targets: Node[] = [];
  for (const name of listOf(raw)) {
    const node =
      typeof name === 'string' ? resolveName(reading, name, base(name)) : resolveObject(reading, name);
    if (node === null) reading.fault(path, name, expectedFor(name, base('')));
    else targets.push(node);
  }
  checkCompatible(reading, targets, path);
  return targets;
}

/** Machine objects may hold state nodes where a config holds names. */
function resolveObject(reading: Reading, value: unknown): Node | null {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? (reading.byId.get(id) ?? null) : null;
}

function resolveName(reading: Reading, name: string, base: Node | null): Node | null {
  if (name.startsWith('#')) {
    const exact = reading.byId.get(name.slice(1));
    if (exact !== undefined) return exact;
    const [id = '', ...rest] = splitPath(name.slice(1));
    return descend(reading.byId.get(id) ?? null, rest);
  }
  return descend(base, splitPath(name.startsWith('.') ? name.slice(1) : name));
}

function descend(from: Node | null, keys: readonly string[]): Node | null {
  let at = from;
  for (const key of keys) at = at?.byKey.get(key) ?? null;
  return at;
}

/** Splits `a.b.c`; a backslash takes the next character as it is. */
export function splitPath(path: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < path.length; at++) {
    const char = path.charAt(at);
    if (char === '\\') part += path.charAt(++at);
    else if (char === '.') {
      parts.push(part);
      part = '';
    } else part += char;
  }
  return [...parts, part];
}

function expectedFor(name: unknown, siblings: Node | null): string {
  if (typeof name !== 'string') return EXPECTED;
  if (siblings === null && !name.startsWith('#'))
    return `a child ('.a') or an id ('#id'), since the root has no siblings`;
  const known = siblings === null ? [] : [...siblings.byKey.keys()].slice(0, 8);
  return known.length === 0 ? EXPECTED : `${EXPECTED}; siblings are ${known.join(', ')}`;
}

/** Targets that no configuration can hold together: in different children of one compound state. */
function checkCompatible(reading: Reading, targets: readonly Node[], path: string): void {
  for (const [index, a] of targets.entries()) {
    const b = targets.slice(0, index).find((other) => !compatible(a, other));
    if (b !== undefined)
      reading.fault(path, `#${b.id} with #${a.id}`, 'targets in different regions of one parallel state');
  }
}

function compatible(a: Node, b: Node): boolean {
  if (a === b || isInside(a, b) || isInside(b, a)) return true;
  let common = a.parent;
  while (common !== null && !isInside(b, common)) common = common.parent;
  return common?.type === 'parallel';
}
