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

/** A value that JSON can't carry: a Date, Map, bigint, function, class instance, NaN, or a cycle. */
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
  if (!text.includes('__proto__')) return JSON.parse(text);
  return JSON.parse(text, function (this: unknown, key: string, value: unknown) {
    return key === '__proto__' ? undefined : value;
  });
}

function assertJson(value: unknown, path: string, ancestors: object[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NotJsonError(path, String(value));
    return;
  }
  if (typeof value !== 'object') throw new NotJsonError(path, describe(value));
  if (ancestors.includes(value)) throw new NotJsonError(path, 'a reference to one of its own ancestors');
  ancestors.push(value);
  if (Array.isArray(value)) value.forEach((item, index) => assertJson(item, `${path}[${index}]`, ancestors));
  else assertObject(value, path, ancestors);
  ancestors.pop();
}

function assertObject(value: object, path: string, ancestors: object[]): void {
  if (!isPlain(value)) throw new NotJsonError(path, describe(value));
  for (const [key, item] of Object.entries(value)) {
    // It would be left out when read back.
    if (key === '__proto__') throw new NotJsonError(`${path}.${key}`, 'a key that could reach a prototype');
    if (item !== undefined) assertJson(item, `${path}.${key}`, ancestors);
  }
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
