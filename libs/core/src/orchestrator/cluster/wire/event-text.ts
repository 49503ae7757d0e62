import type { EventObject } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../../message/json.js';
import { assertEvent, assertType } from '../../event/assert-event.js';
import { isPlainPayload } from '../../event/plain-payload.js';
import { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { utf8Bytes } from './batch.js';
import { WORST_BYTES } from '../../../framing/numbers.js';

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
 * Whether it is surely an event that JSON carries as it is.
 *
 * @throws EventInvalidError
 */
export function isPlainEvent(event: EventObject, machine: string, maxValues: number): boolean {
  assertType(event, machine);
  return isPlainPayload(event, maxValues);
}

/**
 * An event as JSON text.
 *
 * @throws EventInvalidError, EventPayloadError; NotJsonError where it holds something that JSON can't carry
 */
export function eventText(event: EventObject, machine: string, maxValues: number): string {
  if (isPlainEvent(event, machine, maxValues)) return JSON.stringify(event);
  assertEvent(event, machine, maxValues);
  return toJson(event, 'event');
}

/**
 * Refuses a text of more bytes than a message may have.
 *
 * @throws FrameTooLargeError
 */
export function assertFits(text: string, maxBytes: number): void {
  if (text.length * WORST_BYTES <= maxBytes) return;
  const bytes = utf8Bytes(text);
  if (bytes > maxBytes) throw new FrameTooLargeError(bytes, maxBytes, 'maxMessageBytes');
}
