import type { Chart, Semantics } from '../chart/chart.js';
import { type Initial, isInside, type Node } from '../chart/node.js';
import { MachineDefinitionError } from '../errors.js';
import { readActions } from './actions.js';
import { readAfter, readInvokes } from './activities.js';
import { checkNames, type DeclaredNames } from './names.js';
import { type NodeSource, readNodes } from './nodes.js';
import { isRaw, isUnsafeName, type Raw, Reading } from './reading.js';
import { resolveInside } from './targets.js';
import { addTransitions, readAlways, readOn, readTransitions, wildcardsOf } from './transitions.js';

/** Microsteps of one macrostep after which it is taken for a circle. */
const MAX_ITERATIONS = 1_000;

/** Mutable while it is being read. */
type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a config into a chart; throws one error with all faults. */
export function readChart(config: unknown, declared: DeclaredNames): Chart {
  const id =
    isRaw(config) && typeof config['id'] === 'string' && config['id'] !== '' ? config['id'] : '(machine)';
  const reading = new Reading(id, semanticsOf(config));
  if (!isRaw(config)) {
    reading.fault(id, config, 'a machine config object');
    throw new MachineDefinitionError(id, reading.faults);
  }
  if (isUnsafeName(id)) reading.fault(id, id, 'another id');
  const sources = readNodes(reading, config, id);
  for (const source of sources) readDetails(reading, source);
  checkNames(reading, declared);
  const chart = chartOf(reading, config);
  if (reading.faults.length > 0) throw new MachineDefinitionError(id, reading.faults);
  return chart;
}

/** Second pass: everything that may name other states. */
function readDetails(reading: Reading, { node, raw }: NodeSource): void {
  const draft = node as Draft<Node>;
  readOn(reading, node, raw['on']);
  readDone(reading, node, raw['onDone']);
  draft.invokes = readInvokes(reading, node, raw);
  draft.afters = readAfter(reading, node, raw['after']);
  draft.always = readAlways(reading, node, raw['always']);
  draft.wildcards = wildcardsOf(node);
  if (node.type === 'compound') draft.initial = readInitial(reading, node, raw['initial']);
  if (node.type === 'history') draft.historyDefault = readHistoryDefault(reading, node, raw['target']);
  if (node.afters.length + node.invokes.length > 0) {
    draft.epochSlot = reading.counted.length;
    reading.counted.push(node);
  }
  checkType(reading, node, raw);
  const aimless = node.type !== 'compound' && raw['initial'] !== undefined && node.byKey.size === 0;
  if (aimless) reading.fault(`${node.path}.initial`, raw['initial'], 'no initial, since there are no states');
}

function readDone(reading: Reading, node: Node, raw: unknown): void {
  if (raw === undefined || raw === null) return;
  const type = reading.doneState(node.id);
  addTransitions(node, type, readTransitions(reading, node, raw, `${node.path}.onDone`, type));
}

function readInitial(reading: Reading, node: Node, raw: unknown): Initial | null {
  const path = `${node.path}.initial`;
  const target: unknown = isRaw(raw) ? raw['target'] : raw;
  if (target === undefined || target === null || target === '') {
    reading.fault(path, target, `the name of a child: ${[...node.byKey.keys()].slice(0, 8).join(', ')}`);
    return null;
  }
  const targets = resolveInside(reading, node, target, path);
  const actions = isRaw(raw) ? readActions(reading, raw['actions'], `${path}.actions`) : [];
  return { targets, actions };
}

function readHistoryDefault(reading: Reading, node: Node, raw: unknown): readonly Node[] | null {
  if (raw === undefined || raw === null || raw === '' || node.parent === null) return null;
  return resolveInside(reading, node.parent, raw, `${node.path}.target`);
}

function checkType(reading: Reading, node: Node, raw: Raw): void {
  const path = `${node.path}.type`;
  if (isEmpty(node, raw))
    reading.fault(`${node.path}.states`, raw['states'], 'a state that can be active, or no states');
  if (isLeafType(node) && node.byKey.size > 0)
    reading.fault(path, node.type, "'compound' or 'parallel', since it has states");
  if (node.type === 'history' && node.parent === null)
    reading.fault(path, node.type, 'a root that can be active');
}

/** States are promised, by the type or by a map, and none can be active. */
function isEmpty(node: Node, raw: Raw): boolean {
  const promised = node.type === 'compound' || node.type === 'parallel' || isRaw(raw['states']);
  return promised && node.children.length === 0;
}

function isLeafType(node: Node): boolean {
  return node.type === 'atomic' || node.type === 'final' || node.type === 'history';
}

function chartOf(reading: Reading, config: Raw): Chart {
  const options = isRaw(config['options']) ? config['options'] : {};
  return {
    id: reading.machine,
    version: typeof config['version'] === 'string' ? config['version'] : undefined,
    root: reading.nodes[0] as Node,
    nodes: reading.nodes,
    byId: reading.byId,
    transitions: reading.transitions,
    counted: reading.counted,
    context: config['context'],
    semantics: reading.semantics,
    maxIterations: limitOf(reading, options['maxIterations']),
    inlineActions: reading.inlineActions,
    inlineActors: reading.inlineActors,
    actions: reading.actions,
    ordered: reading.semantics === 'xstate' && hasRivalRegions(reading.nodes),
  };
}

function semanticsOf(config: unknown): Semantics {
  const options = isRaw(config) ? config['options'] : undefined;
  return isRaw(options) && options['semantics'] === 'scxml' ? 'scxml' : 'xstate';
}

function limitOf(reading: Reading, limit: unknown): number {
  if (limit === undefined || limit === Infinity) return MAX_ITERATIONS;
  if (typeof limit === 'number' && limit >= 1) return limit;
  reading.fault(`${reading.machine}.options.maxIterations`, limit, 'a number of microsteps, 1 or more');
  return MAX_ITERATIONS;
}

/** Can leaves of two regions ask for different eventless transitions: in the regions, or in one and around them all? */
function hasRivalRegions(nodes: readonly Node[]): boolean {
  const eager = nodes.filter((node) => node.always.length > 0);
  const within = (region: Node): boolean => eager.some((node) => node === region || isInside(node, region));
  return nodes.some((node) => {
    if (node.type !== 'parallel') return false;
    const around = eager.some((other) => other === node || isInside(node, other)) ? 1 : 0;
    const regions = node.children.filter(within).length;
    return regions > 0 && regions + around > 1;
  });
}
