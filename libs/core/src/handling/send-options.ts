import type { Duration } from '../message/duration.js';

/** Options of one outgoing message. */
export interface SendOptions {
  /** Deliver it not before this long after the commit. */
  readonly delay?: Duration | number;
  readonly headers?: Readonly<Record<string, string>>;
}
