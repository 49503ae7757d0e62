import type { Mailbox } from './mailbox.js';
import { Ring } from './ring.js';

/** A cooperative slice of the pool's time, and a budget of events, over the mailboxes that are ready in it. */
export class Channel {
  /** Each mailbox at most once. */
  readonly ready = new Ring<Mailbox>();
  /** Events in the ready mailboxes, and in the one that runs. */
  queued = 0;
  /** Whether the pool has it in its round. */
  inRound = false;
  /** A ticket for each outside sender that waits for this channel's budget: the first of its mailbox's line goes when it comes up. */
  readonly tickets = new Ring<Ticket>();
}

/** Numbered in the order of coming, over all channels, so that lines can be merged. */
export interface Ticket {
  readonly number: number;
  readonly mailbox: Mailbox;
}
