import type { Channel } from './channel.js';
import type { Ring } from './ring.js';

/** How an event came, where that is of interest: a request, a timer, an outcome, … Plain events have none and allocate none. */
export interface Delivery {
  readonly kind: string;
  /** It is not to be handled any more, though it may still lie in the queue. */
  withdrawn: boolean;
}

/** An outside sender that waits for room. */
export interface Waiter {
  readonly event: object;
  readonly delivery: Delivery | undefined;
  /** Whoever gave up keeps its place until it comes up. */
  cancelled: boolean;
  accepted(): void;
  refused(error: unknown): void;
  /** It was cancelled, and who gave up has been told. */
  leftLine?(): void;
}

/** Where a mailbox is in its life: at rest, in its channel's queue, in the middle of a step, or waiting for an action. */
export type Phase = 'idle' | 'ready' | 'running' | 'busy';

/** Slots of an empty mailbox; never written to. */
const NO_SLOTS: readonly unknown[] = Object.freeze([]);
const FIRST_SLOTS = 8;
const MOST_KEPT_SLOTS = 512;
/** Withdrawn events that a queue may hold before it is tidied up. */
const MOST_WITHDRAWN = 32;

/**
 * The queue of one machine: events lie here in the order in which they were accepted, whatever channel runs them. Two slots for each, the
 * event and its delivery, so that a plain event allocates nothing.
 */
export abstract class Mailbox {
  phase: Phase = 'idle';
  channel: Channel | undefined = undefined;
  /** Of the pool's layout by which `channel` was chosen. */
  layout = -1;
  /** Events that will be handled; withdrawn ones are not among them. */
  queued = 0;
  /** Outside senders that wait, the first to come first. */
  line: Ring<Waiter> | undefined = undefined;
  /** How many of them wait for the channel's budget alone. */
  tickets = 0;
  private slots: unknown[] = NO_SLOTS as unknown[];
  private head = 0;
  private entries = 0;
  private withdrawn = 0;
  /** The delivery that came with the event that `take` returned last. */
  taken: Delivery | undefined = undefined;

  constructor(
    /** Decides which channel. */
    readonly serial: number,
  ) {}

  /** Handles one event; `false`: it goes on asynchronously, and `ChannelPool.resume` says when it is over. */
  abstract handle(event: object, delivery: Delivery | undefined): boolean;

  push(event: object, delivery: Delivery | undefined): void {
    if (this.entries * 2 === this.slots.length) this.resize(Math.max(FIRST_SLOTS, this.slots.length * 2));
    const at = (this.head + this.entries * 2) & (this.slots.length - 1);
    this.slots[at] = event;
    this.slots[at + 1] = delivery;
    this.entries += 1;
    this.queued += 1;
  }

  /** The next event that was not withdrawn; `taken` is then its delivery. */
  take(): object | undefined {
    while (this.entries > 0) {
      const { slots, head } = this;
      const event = slots[head] as object;
      const delivery = slots[head + 1] as Delivery | undefined;
      slots[head] = slots[head + 1] = undefined;
      this.head = (head + 2) & (slots.length - 1);
      this.entries -= 1;
      if (this.entries === 0 && slots.length > MOST_KEPT_SLOTS) this.forget();
      if (delivery === undefined || !delivery.withdrawn) {
        this.queued -= 1;
        this.taken = delivery;
        return event;
      }
      this.withdrawn -= 1;
    }
    return undefined;
  }

  /** Takes an event out of the queue, wherever it lies; it must lie there. */
  withdraw(delivery: Delivery): void {
    delivery.withdrawn = true;
    this.queued -= 1;
    this.withdrawn += 1;
    if (this.withdrawn > MOST_WITHDRAWN && this.withdrawn * 2 > this.entries) this.resize(this.slots.length);
  }

  /** Empties the queue; `each` sees every event that would have been handled. */
  clear(each: (event: object, delivery: Delivery | undefined) => void): void {
    for (let event = this.take(); event !== undefined; event = this.take()) each(event, this.taken);
    this.taken = undefined;
    this.forget();
  }

  private forget(): void {
    this.slots = NO_SLOTS as unknown[];
    this.head = 0;
    this.withdrawn = 0;
  }

  /** Copies what is left of the queue into new slots, in order. */
  private resize(length: number): void {
    const { slots, head, entries } = this;
    const next = new Array<unknown>(length).fill(undefined);
    let kept = 0;
    for (let entry = 0; entry < entries; entry += 1) {
      const at = (head + entry * 2) & (slots.length - 1);
      const delivery = slots[at + 1] as Delivery | undefined;
      if (delivery?.withdrawn === true) continue;
      next[kept * 2] = slots[at];
      next[kept * 2 + 1] = delivery;
      kept += 1;
    }
    this.slots = next;
    this.head = 0;
    this.entries = kept;
    this.withdrawn = 0;
  }
}
