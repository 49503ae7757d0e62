import type { EventObject } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../../message/json.js';
import { assertEvent, assertType } from '../../event/assert-event.js';
import { isPlainPayload } from '../../event/plain-payload.js';

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
