import { EventInvalidError, EventPayloadError, quote } from '../errors.js';
import { DEEPEST, isPlainPayload } from './plain-payload.js';

const ENGINE_PREFIX = 'xstate.';

/**
 * Refuses what is no event, what the engine alone may send, and payloads that hold themselves or too much. Dates, maps and instances of
 * classes are taken as they are.
 *
 * @throws EventInvalidError, EventPayloadError
 */
export function assertEvent(event: unknown, machine: string, maxValues: number): void {
  const type = assertType(event, machine);
  for (const key in event as object) {
    const value = (event as Readonly<Record<string, unknown>>)[key];
    if (typeof value === 'object' && value !== null) {
      if (!isPlainPayload(event as object, maxValues))
        new PayloadWalk(type, maxValues).enter(event as object, 'event');
      return;
    }
  }
}

/**
 * Refuses what is no event, and what the engine alone may send.
 *
 * @throws EventInvalidError
 */
export function assertType(event: unknown, machine: string): string {
  const type = (event as { type?: unknown } | null | undefined)?.type;
  if (typeof type !== 'string' || !isSendable(type))
    throw new EventInvalidError(machine, describe(event, type));
  return type;
}

function isSendable(type: string): boolean {
  return type !== '' && type !== '*' && !type.startsWith(ENGINE_PREFIX);
}

function describe(event: unknown, type: unknown): string {
  if (typeof event !== 'object' || event === null) return quote(event);
  return type === undefined ? 'an object without a type' : `an event of type ${quote(type)}`;
}

/** Looks at plain objects and lists, each time it meets them. */
class PayloadWalk {
  private readonly ancestors: object[] = [];
  private values = 0;

  constructor(
    private readonly event: string,
    private readonly maxValues: number,
  ) {}

  private visit(value: object, path: string): void {
    if (isPlain(value)) this.enter(value, path);
  }

  enter(value: object, path: string): void {
    if (this.ancestors.includes(value)) throw new EventPayloadError(this.event, path, 'cycle');
    if (this.ancestors.length >= DEEPEST) throw new EventPayloadError(this.event, path, 'too-deep');
    this.ancestors.push(value);
    for (const key in value) this.visitProperty(value, key, path);
    this.ancestors.pop();
  }

  private visitProperty(owner: object, key: string, path: string): void {
    this.values += 1;
    if (this.values > this.maxValues) throw new EventPayloadError(this.event, path, 'too-large');
    const value = (owner as Readonly<Record<string, unknown>>)[key];
    if (typeof value !== 'object' || value === null) return;
    this.visit(value, Array.isArray(owner) ? `${path}[${key}]` : `${path}.${key}`);
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
