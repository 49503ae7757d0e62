import type { EventObject } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../../message/json.js';
import { assertEvent } from '../../event/assert-event.js';

/**
 * An event as JSON text.
 *
 * @throws EventInvalidError, EventPayloadError; NotJsonError where it holds something that JSON can't carry
 */
export function eventText(event: EventObject, machine: string, maxValues: number): string {
  assertEvent(event, machine, maxValues);
  return isFlat(event) ? JSON.stringify(event) : toJson(event, 'event');
}

/** A plain object of texts, finite numbers and booleans, which most events are: `JSON.stringify` carries it as it is. */
function isFlat(event: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(event);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in event) {
    const value: unknown = (event as Record<string, unknown>)[key];
    const type = typeof value;
    if (type === 'string' || type === 'boolean' || (type === 'number' && Number.isFinite(value))) continue;
    return false;
  }
  return !Object.hasOwn(event, '__proto__');
}
