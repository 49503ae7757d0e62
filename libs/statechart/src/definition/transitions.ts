import type { GuardSpec } from '../chart/guard-spec.js';
import type { Node, Transition, Wildcard } from '../chart/node.js';
import { readActions } from './actions.js';
import { readGuard } from './guards.js';
import { checkTransitionKeys } from './keys.js';
import { elementPath, isRaw, type Raw, type Reading } from './reading.js';
import { resolveTargets } from './targets.js';

/** Reads the transitions that stand in one place of a config, for one event descriptor (`null`: eventless). */
export function readTransitions(
  reading: Reading,
  source: Node,
  raw: unknown,
  path: string,
  descriptor: string | null,
): Transition[] {
  const list = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
  return list.flatMap((one, index) => {
    const place = elementPath(path, raw, index);
    const config = asConfig(one);
    if (config === null) {
      reading.fault(place, one, 'a target, a transition object, or a list of these');
      return [];
    }
    return [readTransition(reading, source, config, place, descriptor, typeof one === 'string')];
  });
}

/** `undefined` and `null` forbid the event: a transition that goes nowhere and does nothing. */
function asConfig(one: unknown): Raw | null {
  if (one === undefined || one === null) return {};
  if (typeof one === 'string') return { target: one };
  return isRaw(one) ? one : null;
}

function readTransition(
  reading: Reading,
  source: Node,
  config: Raw,
  path: string,
  descriptor: string | null,
  short: boolean,
): Transition {
  checkTransitionKeys(reading, config, path);
  const transition: Transition = {
    index: reading.transitions.length,
    order: typeof config['order'] === 'number' ? config['order'] : reading.transitions.length,
    path,
    source,
    descriptor,
    guard: guardOf(reading, config, path),
    targets: resolveTargets(reading, source, config['target'], short ? path : `${path}.target`),
    actions: readActions(reading, config['actions'], `${path}.actions`),
    reenter: config['reenter'] === true || config['internal'] === false,
    description: typeof config['description'] === 'string' ? config['description'] : undefined,
    meta: config['meta'],
  };
  reading.transitions.push(transition);
  return transition;
}

/** `cond` and `in` are the older spellings of `guard` and `stateIn`. */
function guardOf(reading: Reading, config: Raw, path: string): GuardSpec | null {
  const key = config['guard'] === undefined && config['cond'] !== undefined ? 'cond' : 'guard';
  const guard = readGuard(reading, config[key], `${path}.${key}`);
  if (config['in'] === undefined) return guard;
  const inState: GuardSpec = { kind: 'stateIn', path: `${path}.in`, value: config['in'] };
  return guard === null ? inState : { kind: 'and', path, guards: [inState, guard] };
}

/** Adds transitions under a descriptor, after those that are there. */
export function addTransitions(node: Node, descriptor: string, transitions: readonly Transition[]): void {
  const present = node.transitions.get(descriptor);
  if (present === undefined) node.transitions.set(descriptor, [...transitions]);
  else present.push(...transitions);
}

/** Reads `on`. */
export function readOn(reading: Reading, node: Node, raw: unknown): void {
  if (raw === undefined || raw === null) return;
  const path = `${node.path}.on`;
  if (!isRaw(raw)) return reading.fault(path, raw, 'an object of transitions by event');
  for (const descriptor of Object.keys(raw)) {
    const place = `${path}.${descriptor}`;
    if (isDescriptor(descriptor)) {
      addTransitions(node, descriptor, readTransitions(reading, node, raw[descriptor], place, descriptor));
    } else {
      reading.fault(
        place,
        descriptor,
        "an event name, 'prefix.*' or '*' (a star stands last); 'always' for eventless ones",
      );
    }
  }
}

function isDescriptor(descriptor: string): boolean {
  if (descriptor === '' || descriptor === '__proto__') return false;
  if (descriptor === '*' || !descriptor.includes('*')) return true;
  return descriptor.endsWith('.*') && !descriptor.slice(0, -2).split('.').includes('*');
}

/** Descriptors with a star, the longest (most exact) first, as XState tries them. */
export function wildcardsOf(node: Node): readonly Wildcard[] {
  return [...node.transitions.keys()]
    .filter((descriptor) => descriptor === '*' || descriptor.endsWith('.*'))
    .sort((a, b) => b.length - a.length)
    .map((descriptor) => ({
      descriptor,
      prefix: descriptor === '*' ? null : descriptor.slice(0, -2),
      transitions: node.transitions.get(descriptor) ?? [],
    }));
}

/** Reads eventless transitions. */
export function readAlways(reading: Reading, node: Node, raw: unknown): Transition[] {
  return raw === undefined || raw === null
    ? []
    : readTransitions(reading, node, raw, `${node.path}.always`, null);
}
