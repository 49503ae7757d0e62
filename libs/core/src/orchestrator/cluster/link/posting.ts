import type { EventObject } from '@nestjs-orchestrator/statechart';
import { EVENT, NAMED_EVENT, NAMED_REQUEST, REQUEST } from '../wire/format.js';
import { namedText } from '../wire/event-text.js';
import type { RemoteMachine } from '../remote/remote-machine.js';
import type { Courier } from './in-flight.js';

/** An envelope before it has a number: it waits for room, or until its machine is found. */
export class Posting {
  /** Whoever gave up keeps its place until it comes up. */
  cancelled = false;
  /** Where it went, and under which number; 0: it has not left. */
  number = 0;

  constructor(
    readonly kind: number,
    /** undefined: for the whole process. */
    readonly target: RemoteMachine | undefined,
    readonly text: string,
    readonly timeoutMs: number,
    readonly courier: Courier,
    readonly event: EventObject | undefined,
    /** By which a repeat is known; undefined: it has none. */
    readonly messageId?: string,
  ) {}
}

/** An id of the sender goes with its event, where there is one. */
export function textOf({ text, messageId }: Posting): string {
  return messageId === undefined ? text : namedText(text, messageId);
}

/** Its kind on the wire. */
export function kindOf({ kind, messageId }: Posting): number {
  if (messageId === undefined) return kind;
  if (kind === EVENT) return NAMED_EVENT;
  return kind === REQUEST ? NAMED_REQUEST : kind;
}
