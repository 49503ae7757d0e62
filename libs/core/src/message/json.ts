import { OrchestratorError } from '../errors/orchestrator-error.js';

/** `T` itself where it is plain JSON; otherwise a type that `T` is not assignable to. */
export type Json<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends
        | bigint
        | symbol
        | ((...a: never[]) => unknown)
        | Date
        | ReadonlyMap<unknown, unknown>
        | ReadonlySet<unknown>
    ? never
    : { [K in keyof T]: Json<T[K]> };

/** Demands that `T` is plain JSON, and names the fields that are not. */
export type JsonOnly<T> = [T] extends [Json<T>]
  ? unknown
  : { readonly 'data must be plain JSON': { [K in keyof T as T[K] extends Json<T[K]> ? never : K]: never } };

/** A value that JSON can't carry: a Date, Map, bigint, function, class instance, NaN, a cycle, or more than 500 levels. */
export class NotJsonError extends OrchestratorError {
  readonly code = 'NOT_JSON';
  constructor(
    /** Where in the value, for example `data.items[2].at`. */
    readonly path: string,
    /** What was found there. */
    readonly found: string,
  ) {
    super(
      `${path} is ${found}, which JSON can't carry. Store a string, number, boolean, null, array or plain object.`,
    );
  }
}

/** A text that is longer than its limit. */
export class PayloadTooLargeError extends OrchestratorError {
  readonly code = 'PAYLOAD_TOO_LARGE';
  constructor(
    readonly what: string,
    /** Length of the text in characters. */
    readonly length: number,
    readonly limit: number,
  ) {
    super(
      `${what} has ${length} characters of JSON; the limit is ${limit}. Keep large content elsewhere and send its address.`,
    );
  }
}

/**
 * `value` as JSON text. Unlike `JSON.stringify` it never drops or converts: what comes back from {@link parseJson} equals
 * what went in (but for properties that are `undefined`).
 *
 * @param what names the value in errors
 * @throws NotJsonError, PayloadTooLargeError
 */
export function toJson(value: unknown, what: string, limit = Number.POSITIVE_INFINITY): string {
  assertJson(value, what, []);
  const text = JSON.stringify(value);
  if (text.length > limit) throw new PayloadTooLargeError(what, text.length, limit);
  return text;
}

/** Parses JSON text; `__proto__` keys are left out, so that no later copy can touch a prototype. */
export function parseJson(text: string): unknown {
  // Any letter of the key may be escaped; what JSON.stringify writes has such escapes for control characters only.
  if (!text.includes('__proto__') && !text.includes('\\u')) return JSON.parse(text);
  return JSON.parse(text, function (this: unknown, key: string, value: unknown) {
    return key === '__proto__' ? undefined : value;
  });
}

/** Levels of arrays and objects in each other: what is deeper exhausts the stack somewhere. */
const MOST_LEVELS = 500;

function assertJson(value: unknown, what: string, ancestors: object[]): void {
  const fault = faultOf(value, ancestors);
  if (fault !== null) throw new NotJsonError(what + fault.path, fault.found);
}

/** What JSON can't carry, and where: the path is put together on the way back, so that a value without a fault costs none. */
interface Fault {
  readonly path: string;
  readonly found: string;
}

function faultOf(value: unknown, ancestors: object[]): Fault | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path: '', found: String(value) };
  if (typeof value !== 'object') return { path: '', found: describe(value) };
  if (ancestors.length >= MOST_LEVELS) return { path: '', found: `more than ${MOST_LEVELS} levels deep` };
  if (ancestors.includes(value)) return { path: '', found: 'a reference to one of its own ancestors' };
  ancestors.push(value);
  const fault = Array.isArray(value) ? faultOfArray(value, ancestors) : faultOfObject(value, ancestors);
  ancestors.pop();
  return fault;
}

function faultOfArray(values: readonly unknown[], ancestors: object[]): Fault | null {
  for (let index = 0; index < values.length; index += 1) {
    // A hole would come back as null: it is refused as the undefined that it reads as.
    const fault = faultOf(values[index], ancestors);
    if (fault !== null) return { path: `[${index}]${fault.path}`, found: fault.found };
  }
  return null;
}

function faultOfObject(value: object, ancestors: object[]): Fault | null {
  if (!isPlain(value)) return { path: '', found: describe(value) };
  for (const key of Object.keys(value)) {
    // It would be left out when read back.
    if (key === '__proto__') return { path: `.${key}`, found: 'a key that could reach a prototype' };
    const item: unknown = Reflect.get(value, key);
    const fault = item === undefined ? null : faultOf(item, ancestors);
    if (fault !== null) return { path: `.${key}${fault.path}`, found: fault.found };
  }
  return null;
}

/** Plain objects, and messages: their classes only name what they are. */
function isPlain(value: object): boolean {
  if ('toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || MESSAGE in value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `an instance of ${value.constructor?.name ?? 'an unknown class'}`;
}

/** Marks instances of message classes; the value is the message's type. */
export const MESSAGE: unique symbol = Symbol.for('@nestjs-orchestrator/message') as never;
