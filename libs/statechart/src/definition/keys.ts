import type { Raw, Reading } from './reading.js';

const NODE_KEYS = new Set([
  'activities',
  'after',
  'always',
  'context',
  'data',
  'description',
  'entry',
  'exit',
  'history',
  'id',
  'initial',
  'invoke',
  'key',
  'meta',
  'on',
  'onDone',
  'onEntry',
  'onExit',
  'options',
  'order',
  'output',
  'schemas',
  'states',
  'tags',
  'target',
  'type',
  'types',
  'version',
  'actions',
  '$schema',
  'delimiter',
  'predictableActionArguments',
  'preserveActionOrder',
  'route',
  'strict',
  'tsTypes',
]);
const TRANSITION_KEYS = new Set([
  'actions',
  'cond',
  'delay',
  'description',
  'event',
  'guard',
  'in',
  'internal',
  'meta',
  'order',
  'reenter',
  'target',
]);

/** Finds keys that mean nothing: a `gaurd` that is silently left out would let every event pass. */
export function checkNodeKeys(reading: Reading, raw: Raw, path: string): void {
  checkKeys(reading, raw, path, NODE_KEYS, 'a state');
}

export function checkTransitionKeys(reading: Reading, raw: Raw, path: string): void {
  checkKeys(reading, raw, path, TRANSITION_KEYS, 'a transition');
}

function checkKeys(reading: Reading, raw: Raw, path: string, known: ReadonlySet<string>, of: string): void {
  for (const key of Object.keys(raw)) {
    if (known.has(key)) continue;
    const near = [...known].find((other) => isNear(key, other));
    reading.fault(
      `${path}.${key}`,
      key,
      near === undefined ? `a key of ${of}` : `a key of ${of}, say '${near}'`,
    );
  }
}

/** The same letters, give or take one. */
function isNear(a: string, b: string): boolean {
  const [x, y] = [lettersOf(a), lettersOf(b)];
  const [short, long] = x.length < y.length ? [x, y] : [y, x];
  if (long.length - short.length > 1) return false;
  const without = (at: number): string => long.slice(0, at) + long.slice(at + 1);
  return short === long || Array.from(long, (_, at) => without(at)).includes(short);
}

function lettersOf(text: string): string {
  return Array.from(text.toLowerCase()).sort().join('');
}
