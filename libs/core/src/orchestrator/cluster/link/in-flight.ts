import type { EventObject } from '@nestjs-orchestrator/statechart';

/** Who is told what becomes of an envelope. */
export interface Courier {
  /** It is in the mailbox. Not called for what is refused. */
  accepted(): void;
  /** It was refused, failed, or nobody knows. */
  ended(error: Error, event: EventObject | undefined): void;
  /** The answer to what was asked. */
  replied(payload: unknown): void;
  /** Whom it is for, as the error says that nobody knows. */
  readonly address: string;
}

const SMALLEST = 64;

/**
 * Envelopes that were sent and are not done, by number. They lie in a circle; those that take much longer than the ones behind them move
 * to a map, so that one slow machine holds nobody up.
 */
export class InFlight {
  /** Of the next envelope. */
  next = 1;
  /** All envelopes up to it were accepted or refused. */
  accepted = 0;
  /** Envelopes that are not done. */
  unfinished = 0;
  /** Characters of those that are not accepted. */
  units = 0;
  private couriers: (Courier | undefined)[] = new Array<Courier | undefined>(SMALLEST).fill(undefined);
  private events: (EventObject | undefined)[] = new Array<EventObject | undefined>(SMALLEST).fill(undefined);
  private sizes: number[] = new Array<number>(SMALLEST).fill(0);
  /** The lowest number in the circle. */
  private base = 1;
  private readonly stragglers = new Map<number, { courier: Courier; event: EventObject | undefined }>();
  /** The event of the courier that `take` returned last. */
  taken: EventObject | undefined = undefined;

  /** Envelopes that are not accepted. */
  get unaccepted(): number {
    return this.next - 1 - this.accepted;
  }

  /** Places of the circle. */
  get slots(): number {
    return this.couriers.length;
  }

  push(courier: Courier, event: EventObject | undefined, units: number): number {
    const number = this.next;
    if (number - this.base === this.couriers.length) this.makeRoom();
    const at = number & (this.couriers.length - 1);
    this.couriers[at] = courier;
    this.events[at] = event;
    this.sizes[at] = units;
    this.next = number + 1;
    this.unfinished += 1;
    this.units += units;
    return number;
  }

  /** false: there is no such envelope. */
  acceptUpTo(number: number): boolean {
    if (number >= this.next) return false;
    const mask = this.couriers.length - 1;
    for (let each = this.accepted + 1; each <= number; each += 1) {
      this.units -= this.sizes[each & mask] as number;
      this.accepted = each;
      this.couriers[each & mask]?.accepted();
    }
    this.advance();
    return true;
  }

  /** Takes an envelope out: it is done. undefined: it was before, or there is no such envelope. */
  take(number: number): Courier | undefined {
    if (number < this.base) return this.takeStraggler(number);
    if (number >= this.next) return undefined;
    const at = number & (this.couriers.length - 1);
    const courier = this.couriers[at];
    if (courier === undefined) return undefined;
    this.taken = this.events[at];
    this.couriers[at] = this.events[at] = undefined;
    this.unfinished -= 1;
    if (number === this.base) this.advance();
    return courier;
  }

  /** Takes out envelopes one after the other, in order of their numbers. */
  *takeAll(): Generator<readonly [number: number, courier: Courier, event: EventObject | undefined]> {
    for (const number of this.stragglers.keys()) {
      const courier = this.take(number);
      if (courier !== undefined) yield [number, courier, this.taken];
    }
    const { next } = this;
    for (let number = this.base; number < next; number += 1) {
      const courier = this.take(number);
      if (courier !== undefined) yield [number, courier, this.taken];
    }
  }

  private takeStraggler(number: number): Courier | undefined {
    const straggler = this.stragglers.get(number);
    if (straggler === undefined) return undefined;
    this.stragglers.delete(number);
    this.unfinished -= 1;
    this.taken = straggler.event;
    return straggler.courier;
  }

  private advance(): void {
    const mask = this.couriers.length - 1;
    while (this.base <= this.accepted && this.couriers[this.base & mask] === undefined) this.base += 1;
  }

  private makeRoom(): void {
    if (this.accepted - this.base >= this.couriers.length / 2) this.moveStragglers();
    else this.grow();
  }

  private moveStragglers(): void {
    const mask = this.couriers.length - 1;
    for (; this.base <= this.accepted; this.base += 1) {
      const at = this.base & mask;
      const courier = this.couriers[at];
      if (courier !== undefined) this.stragglers.set(this.base, { courier, event: this.events[at] });
      this.couriers[at] = this.events[at] = undefined;
    }
  }

  private grow(): void {
    const { couriers, events, sizes } = this;
    const length = couriers.length * 2;
    this.couriers = new Array<Courier | undefined>(length).fill(undefined);
    this.events = new Array<EventObject | undefined>(length).fill(undefined);
    this.sizes = new Array<number>(length).fill(0);
    for (let number = this.base; number < this.next; number += 1) {
      const [from, to] = [number & (couriers.length - 1), number & (length - 1)];
      this.couriers[to] = couriers[from];
      this.events[to] = events[from];
      this.sizes[to] = sizes[from] as number;
    }
  }
}
