import type { Node, NodeType } from '../chart/node.js';
import { readActions } from './actions.js';
import { checkNodeKeys } from './keys.js';
import { isRaw, isUnsafeName, listOf, MAX_DEPTH, type Raw, type Reading } from './reading.js';

const TYPES: ReadonlySet<unknown> = new Set(['atomic', 'compound', 'parallel', 'final', 'history']);

/** A node beside the config it came from, for the later passes. */
export interface NodeSource {
  readonly node: Node;
  readonly raw: Raw;
}

/** First pass: numbers the states in document order and reads everything that names no other state. */
export function readNodes(reading: Reading, raw: Raw, machine: string): NodeSource[] {
  const sources: NodeSource[] = [];
  readNode(reading, sources, raw, null, machine);
  return sources;
}

function readNode(reading: Reading, sources: NodeSource[], raw: Raw, parent: Node | null, key: string): Node {
  const node = newNode(reading, raw, parent, key);
  register(reading, node);
  sources.push({ node, raw });
  reading.open.add(raw);
  for (const [childKey, child] of childEntries(reading, raw, node)) {
    const childNode = readNode(reading, sources, child, node, childKey);
    node.byKey.set(childKey, childNode);
    (childNode.type === 'history' ? node.histories : node.children).push(childNode);
  }
  reading.open.delete(raw);
  node.end = reading.nodes.length;
  return node;
}

function newNode(reading: Reading, raw: Raw, parent: Node | null, key: string): Node {
  const path = parent === null ? key : `${parent.path}.states.${key}`;
  const trail = parent === null ? key : `${parent.trail}.${key}`;
  const type = typeOf(reading, raw, path);
  checkNodeKeys(reading, raw, path);
  return {
    index: reading.nodes.length,
    id: idOf(reading, raw, path, trail),
    key,
    path,
    trail,
    type,
    parent,
    depth: parent === null ? 0 : parent.depth + 1,
    end: 0,
    children: [],
    byKey: new Map(),
    histories: [],
    history: historyOf(reading, raw, type, path),
    historyDefault: null,
    historyActions: type === 'history' ? readActions(reading, raw['actions'], `${path}.actions`) : [],
    initial: null,
    entry: readActions(reading, raw['entry'] ?? raw['onEntry'], `${path}.entry`),
    exit: readActions(reading, raw['exit'] ?? raw['onExit'], `${path}.exit`),
    transitions: new Map(),
    wildcards: [],
    always: [],
    afters: [],
    invokes: [],
    tags: tagsOf(reading, raw, path),
    meta: raw['meta'],
    description: typeof raw['description'] === 'string' ? raw['description'] : undefined,
    output: outputOf(raw, type, parent, path),
    epochSlot: -1,
  };
}

function register(reading: Reading, node: Node): void {
  reading.nodes.push(node);
  const first = reading.byId.get(node.id);
  if (first === undefined) reading.byId.set(node.id, node);
  else reading.fault(`${node.path}.id`, node.id, `an id of its own; ${first.path} has the same`);
}

function* childEntries(reading: Reading, raw: Raw, node: Node): Generator<[string, Raw]> {
  const states = raw['states'];
  if (states === undefined || states === null) return;
  const path = `${node.path}.states`;
  if (!isRaw(states)) return reading.fault(path, states, 'an object of states');
  if (node.depth >= MAX_DEPTH) return reading.fault(path, 'states', `at most ${MAX_DEPTH} levels of states`);
  for (const key of Object.keys(states)) {
    const child = states[key];
    const childPath = `${path}.${key}`;
    if (isUnsafeName(key) || key === '')
      reading.fault(childPath, key, 'a state name that is neither empty nor __proto__');
    else if (!isRaw(child)) reading.fault(childPath, child, 'a state: an object, {} at least');
    else if (reading.open.has(child)) reading.fault(childPath, child, 'a state that does not contain itself');
    else yield [key, child];
  }
}

function typeOf(reading: Reading, raw: Raw, path: string): NodeType {
  const type = raw['type'];
  if (TYPES.has(type)) return type as NodeType;
  if (type !== undefined) reading.fault(`${path}.type`, type, 'atomic, compound, parallel, final or history');
  if (isRaw(raw['states']) && Object.keys(raw['states']).length > 0) return 'compound';
  return raw['history'] ? 'history' : 'atomic';
}

function idOf(reading: Reading, raw: Raw, path: string, trail: string): string {
  const id = raw['id'];
  if (id === undefined) return trail;
  if (typeof id === 'string' && id !== '' && !isUnsafeName(id)) return id;
  reading.fault(`${path}.id`, id, 'a non-empty string');
  return trail;
}

function historyOf(reading: Reading, raw: Raw, type: NodeType, path: string): 'shallow' | 'deep' | null {
  if (type !== 'history') return null;
  const history = raw['history'];
  if (history === 'deep' || history === 'shallow') return history;
  if (history !== undefined && history !== true)
    reading.fault(`${path}.history`, history, "'shallow' or 'deep'");
  return 'shallow';
}

function tagsOf(reading: Reading, raw: Raw, path: string): readonly string[] {
  const tags = listOf(raw['tags'] ?? undefined);
  const wrong = tags.find((tag) => typeof tag !== 'string');
  if (wrong !== undefined) reading.fault(`${path}.tags`, wrong, 'strings');
  return tags.filter((tag) => typeof tag === 'string');
}

function outputOf(raw: Raw, type: NodeType, parent: Node | null, path: string): Node['output'] {
  if (type !== 'final' && parent !== null) return undefined;
  const value = raw['output'] ?? (type === 'final' ? raw['data'] : undefined);
  return value === undefined ? undefined : { path: `${path}.output`, value };
}
