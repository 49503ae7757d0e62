import type { After, Invoke, Node } from '../chart/node.js';
import { readActions } from './actions.js';
import { elementPath, isRaw, listOf, type Raw, type Reading } from './reading.js';
import { addTransitions, readTransitions } from './transitions.js';

/** Reads `after`: each delay arms a timer of its own, whose event leads to that delay's transitions. */
export function readAfter(reading: Reading, node: Node, raw: unknown): readonly After[] {
  if (raw === undefined || raw === null) return [];
  const path = `${node.path}.after`;
  if (!isRaw(raw)) {
    reading.fault(path, raw, 'an object of transitions by delay');
    return [];
  }
  return Object.keys(raw).map((key) => {
    const delay = delayOf(reading, key, `${path}.${key}`);
    const type = `xstate.after.${delay}.${node.id}`;
    addTransitions(node, type, readTransitions(reading, node, raw[key], `${path}.${key}`, type));
    return { id: type, path: `${path}.${key}`, delay, event: { type } };
  });
}

function delayOf(reading: Reading, key: string, path: string): number | string {
  const delay = Number(key);
  const wrong = key === '' || key === 'NaN' || delay < 0 || delay === Infinity;
  if (wrong) reading.fault(path, key, 'a finite number of milliseconds, 0 or more, or the name of a delay');
  return Number.isNaN(delay) ? key : delay;
}

/** Reads `invoke` and the older `activities`, with the transitions that answer their outcomes. */
export function readInvokes(reading: Reading, node: Node, raw: Raw): readonly Invoke[] {
  const invokes = listOf(raw['invoke'] ?? undefined).flatMap((config, index) =>
    readInvoke(reading, node, config, index, elementPath(`${node.path}.invoke`, raw['invoke'], index)),
  );
  const activities = listOf(raw['activities'] ?? undefined).flatMap((config, index) =>
    readInvoke(
      reading,
      node,
      activityConfig(config),
      invokes.length + index,
      `${node.path}.activities[${index}]`,
    ),
  );
  return [...invokes, ...activities];
}

function activityConfig(config: unknown): unknown {
  if (typeof config === 'string') return { src: config };
  return isRaw(config) && config['src'] === undefined ? { ...config, src: config['type'] } : config;
}

function readInvoke(reading: Reading, node: Node, config: unknown, index: number, path: string): Invoke[] {
  const raw: unknown = typeof config === 'string' ? { src: config } : config;
  if (!isRaw(raw)) {
    reading.fault(path, config, 'an invoke: { src, id?, input?, onDone?, onError? }');
    return [];
  }
  const id = idOf(reading, raw, `${index}.${node.id}`, path);
  readOutcomes(reading, node, raw, id, path);
  return [
    {
      id,
      src: srcOf(reading, raw['src'], `${path}.src`),
      path,
      input: raw['input'] === undefined ? undefined : { path: `${path}.input`, value: raw['input'] },
      finalize: readActions(reading, raw['finalize'], `${path}.finalize`),
      systemId: typeof raw['systemId'] === 'string' ? raw['systemId'] : undefined,
    },
  ];
}

function idOf(reading: Reading, raw: Raw, otherwise: string, path: string): string {
  const id = raw['id'];
  if (typeof id === 'string' && id !== '') return id;
  if (id !== undefined) reading.fault(`${path}.id`, id, 'a non-empty string');
  return otherwise;
}

/** Inline logic is kept under its path, so that the effect can name it. */
function srcOf(reading: Reading, src: unknown, path: string): string {
  if (typeof src === 'string' && src !== '') return src;
  const logic = typeof src === 'function' || (isRaw(src) && typeof src['type'] !== 'string');
  if (logic) reading.inlineActors.set(path, src);
  else if (isRaw(src)) return String(src['type']);
  else reading.fault(path, src, 'the name of an actor, or its logic');
  return path;
}

function readOutcomes(reading: Reading, node: Node, raw: Raw, id: string, path: string): void {
  const outcomes = [
    ['onDone', `xstate.done.actor.${id}`],
    ['onError', `xstate.error.actor.${id}`],
    ['onSnapshot', `xstate.snapshot.${id}`],
  ] as const;
  for (const [key, type] of outcomes) {
    if (raw[key] === undefined || raw[key] === null) continue;
    addTransitions(node, type, readTransitions(reading, node, raw[key], `${path}.${key}`, type));
  }
}
