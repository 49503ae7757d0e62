import type { Scheduler } from '../../../ports/scheduler.js';
import type { TransportSeat } from '../../../ports/transport.js';
import type { ClusterLimits } from '../cluster-options.js';
import type { Outgoing } from './outgoing.js';

/** What all links of a member share. */
export interface LinkContext {
  readonly seat: TransportSeat;
  readonly scheduler: Scheduler;
  readonly limits: ClusterLimits;
  /** Name of the own group. */
  readonly group: string;
  /** Frames are written here before they are handed over. */
  readonly scratch: Uint8Array;
  /** Envelopes that wait for room, over all links. */
  waiting: number;
  /** @throws FrameTooLargeError where no frame can carry a payload */
  assertFits(text: string): void;
  /** Nothing more is sent there. */
  linkClosed(link: Outgoing): void;
}
