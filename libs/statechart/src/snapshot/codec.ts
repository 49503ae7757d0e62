import { SnapshotError } from '../errors.js';

/** Key of the one-key objects that stand for what JSON cannot say. */
const TAG = '$statechart';

/**
 * Plain JSON for any value that is data: besides JSON's own also undefined, NaN, the infinities, -0, bigint, Date, Map, Set and
 * Error (name and message). Values that are JSON already come back as they are, not copied.
 *
 * @throws SnapshotError naming the place of a function, symbol, class instance or circle
 */
export function encode(value: unknown, machine: string, place: string): unknown {
  return isJson(value, 0) ? value : encodeAny(value, { machine, open: new Set() }, place);
}

/** What `encode` was given. */
export function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  if (!Object.hasOwn(value, TAG)) return mapEntries(value, decode);
  const [kind, data] = (value as { [TAG]: [string, unknown] })[TAG];
  return DECODERS[kind]?.(data);
}

interface Encoding {
  readonly machine: string;
  readonly open: Set<object>;
}

/** Deeper values take the careful way, which notices circles. */
const MAX_QUICK_DEPTH = 64;

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || (depth < MAX_QUICK_DEPTH && isJsonObject(value, depth + 1));
    default:
      return false;
  }
}

function isJsonObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!isJson(value[at], depth)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.hasOwn(value, TAG)) return false;
  for (const key of Object.keys(value))
    if (!isJson((value as Record<string, unknown>)[key], depth)) return false;
  return true;
}

function encodeAny(value: unknown, encoding: Encoding, place: string): unknown {
  if (isJson(value, MAX_QUICK_DEPTH)) return value;
  if (typeof value === 'object' && value !== null) return encodeObject(value, encoding, place);
  if (value === undefined) return { [TAG]: ['undefined'] };
  if (typeof value === 'number') return { [TAG]: ['number', Object.is(value, -0) ? '-0' : String(value)] };
  if (typeof value === 'bigint') return { [TAG]: ['bigint', String(value)] };
  throw refusal(encoding, place, `a ${typeof value}`);
}

function encodeObject(value: object, encoding: Encoding, place: string): unknown {
  if (encoding.open.has(value)) throw refusal(encoding, place, 'a value that contains itself');
  encoding.open.add(value);
  const inner = (of: unknown, key: string | number): unknown => encodeAny(of, encoding, `${place}.${key}`);
  const encoded = encodeOpen(value, inner);
  encoding.open.delete(value);
  if (encoded === undefined)
    throw refusal(encoding, place, `an instance of ${value.constructor?.name ?? 'an unknown class'}`);
  return encoded;
}

type Inner = (value: unknown, key: string | number) => unknown;

function encodeOpen(value: object, inner: Inner): unknown {
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Date)
    return { [TAG]: ['date', Number.isNaN(value.getTime()) ? null : value.getTime()] };
  if (value instanceof Map) {
    return { [TAG]: ['map', Array.from(value, ([key, of], index) => [inner(key, index), inner(of, index)])] };
  }
  if (value instanceof Set) return { [TAG]: ['set', Array.from(value, inner)] };
  if (value instanceof Error) return { [TAG]: ['error', { name: value.name, message: value.message }] };
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const entries = Object.entries(value).map(([key, of]): [string, unknown] => [key, inner(of, key)]);
  return Object.hasOwn(value, TAG) ? { [TAG]: ['object', entries] } : Object.fromEntries(entries);
}

function refusal({ machine }: Encoding, place: string, found: string): SnapshotError {
  return new SnapshotError(
    machine,
    `${found} at ${place}`,
    'Keep plain data in it: JSON values, Date, Map, Set, bigint.',
  );
}

const DECODERS: Readonly<Record<string, (data: unknown) => unknown>> = {
  undefined: () => undefined,
  number: (data) => Number(data),
  bigint: (data) => BigInt(data as string),
  date: (data) => new Date(data === null ? NaN : (data as number)),
  map: (data) => new Map((data as [unknown, unknown][]).map(([key, of]) => [decode(key), decode(of)])),
  set: (data) => new Set((data as unknown[]).map(decode)),
  object: (data) => Object.fromEntries((data as [string, unknown][]).map(([key, of]) => [key, decode(of)])),
  error(data) {
    const { name, message } = data as { name: string; message: string };
    const error = new Error(message);
    if (name !== error.name)
      Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
    return error;
  },
};

function mapEntries(value: object, map: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, map(of)]));
}

/** Could this text hold something that `encode` tagged? */
export function mayHoldTags(json: string): boolean {
  return json.includes(TAG);
}
