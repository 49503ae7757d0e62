import type { EventObject } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../../message/json.js';
import { assertEvent, assertType } from '../../event/assert-event.js';
import { isPlainPayload } from '../../event/plain-payload.js';

/** More values than a text can hold: there is no limit. */
const ANY_NUMBER = 2 ** 30;

/**
 * An answer as JSON text.
 *
 * @throws NotJsonError where it holds something that JSON can't carry
 */
export function replyText(reply: unknown): string {
  if (typeof reply === 'object' && reply !== null && isPlainPayload(reply, ANY_NUMBER))
    return JSON.stringify(reply);
  return toJson(reply, 'reply');
}

/** An event with the id of its message. */
export function namedText(text: string, messageId: string): string {
  return `[${JSON.stringify(messageId)},${text}]`;
}

/**
 * An event as JSON text.
 *
 * @throws EventInvalidError, EventPayloadError; NotJsonError where it holds something that JSON can't carry
 */
export function eventText(event: EventObject, machine: string, maxValues: number): string {
  assertType(event, machine);
  if (isPlainPayload(event, maxValues)) return JSON.stringify(event);
  assertEvent(event, machine, maxValues);
  return toJson(event, 'event');
}
