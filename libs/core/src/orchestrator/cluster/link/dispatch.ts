import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Incoming } from './incoming.js';
import type { LocalTarget } from './local-target.js';

/** One envelope, read. */
export interface Envelope {
  readonly kind: number;
  readonly number: number;
  readonly target: LocalTarget | undefined;
  readonly timeoutMs: number;
  readonly payload: unknown;
  /** By which a repeat is known. */
  readonly messageId: string | undefined;
}

/** What an envelope is handed to. */
export interface Dispatch {
  /**
   * Puts an event into its machine's mailbox. `false`: there is no room; `entered` is called when it is in or was refused.
   *
   * @throws whatever the event is refused with
   */
  event(
    link: Incoming,
    target: LocalTarget,
    event: EventObject,
    number: number,
    messageId: string | undefined,
  ): boolean;
  /** As `event`, for what is answered. */
  question(link: Incoming, envelope: Envelope): boolean;
}
