import type { Delivery } from '../pool/mailbox.js';
import type { PendingRequest } from './pending-request.js';

/** One stay in one state, by the engine's count of entries. */
export interface Stay {
  readonly node: string;
  readonly epoch: number;
}

/** A plain event whose latency is measured. */
export class Stamp implements Delivery {
  readonly kind = 'stamp';
  withdrawn = false;
  constructor(readonly acceptedAt: number) {}
}

/** The first thing in a machine's mailbox. */
export class Start implements Delivery {
  readonly kind = 'start';
  withdrawn = false;
  constructor(
    readonly input: unknown,
    readonly started: () => void,
    readonly failed: (error: unknown) => void,
  ) {}
}

/** What a timer, an activity or a child brings; it counts only while its stay goes on. */
export class Outcome implements Delivery {
  readonly kind = 'outcome';
  withdrawn = false;
  constructor(
    readonly stay: Stay | undefined,
    /** Called when it is looked at, whether or not it still counts. */
    readonly arrived?: () => void,
  ) {}
}

/** Everything a machine's mailbox may hold beside an event. */
export type InstanceDelivery = Stamp | Start | Outcome | PendingRequest;
