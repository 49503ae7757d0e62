import type { Scheduler } from '../../../ports/scheduler.js';
import type { TransportSeat } from '../../../ports/transport.js';
import type { ClusterLimits } from '../cluster-options.js';
import type { FrameMemory } from './frame-memory.js';
import type { Outgoing } from './outgoing.js';
import type { Probing } from './tail-probe.js';

/** Where the frames of a link go: the seat, or the route over a gateway. */
export type FrameSink = Pick<TransportSeat, 'maxFrameBytes' | 'trySend' | 'send'>;

/** What all links of a member share. */
export interface LinkContext {
  readonly seat: FrameSink;
  readonly scheduler: Scheduler;
  readonly limits: ClusterLimits;
  /** Name of the own group. */
  readonly group: string;
  readonly memory: FrameMemory;
  /** Where what takes the frames may forget the last one: how the other side is asked whether it was read. */
  readonly probes: Probing | undefined;
  /** Envelopes that wait for room, over all links. */
  waiting: number;
  /** @throws FrameTooLargeError where no frame can carry a payload */
  readonly assertFits: (text: string) => void;
  /** Nothing more is sent there. */
  linkClosed(link: Outgoing): void;
}

/** The context of links whose frames go elsewhere; what waits in them counts with the others. */
export function contextOver(
  own: LinkContext,
  sink: FrameSink,
  linkClosed: (link: Outgoing) => void,
  probes: Probing,
): LinkContext {
  const { scheduler, limits, group, memory, assertFits } = own;
  return {
    seat: sink,
    scheduler,
    limits,
    group,
    memory,
    probes,
    assertFits,
    linkClosed,
    get waiting() {
      return own.waiting;
    },
    set waiting(count) {
      own.waiting = count;
    },
  };
}
