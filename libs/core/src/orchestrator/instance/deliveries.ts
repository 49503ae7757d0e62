import type { Delivery } from '../pool/mailbox.js';
import type { PendingRequest } from './pending-request.js';

/** One stay in one state, by the engine's count of entries. */
export interface Stay {
  readonly node: string;
  readonly epoch: number;
}

/** A plain event whose latency is measured, or by whose id a repeat is known. */
export class Stamp implements Delivery {
  readonly kind = 'stamp';
  withdrawn = false;
  constructor(
    readonly acceptedAt: number | undefined,
    readonly messageId?: string,
  ) {}
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

/** Who is told when an event of another process is done. */
export interface ArrivalSource {
  done(number: number): void;
  fail(number: number, error: unknown): void;
}

/** A plain event of another process. */
export class Arrival implements Delivery {
  readonly kind = 'arrival';
  withdrawn = false;
  constructor(
    private readonly source: ArrivalSource,
    private readonly number: number,
    /** undefined: its latency is not measured. */
    readonly acceptedAt: number | undefined,
    readonly messageId?: string,
  ) {}

  /** Its step is over, adopted or not. */
  done(): void {
    this.source.done(this.number);
  }

  /** Nobody will handle it any more. */
  fail(error: unknown): void {
    this.source.fail(this.number, error);
  }
}

/** Everything a machine's mailbox may hold beside an event. */
export type InstanceDelivery = Stamp | Start | Outcome | Arrival | PendingRequest;
