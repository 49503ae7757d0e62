import type { EventObject } from '@nestjs-orchestrator/statechart';
import { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { Ring } from '../../pool/ring.js';
import { BROADCAST, EVENT } from '../wire/format.js';
import type { Dispatch, Envelope } from './dispatch.js';
import type { Incoming } from './incoming.js';
import type { LocalTarget } from './local-target.js';

/** Hands the envelopes of one sender over, in order: behind one that waits for room the others are parked. */
export class Intake {
  /** Questions that can be taken back, by number. */
  readonly asked = new Map<number, { giveUp(): void }>();
  /** Number of the last envelope that was read. */
  private read = 0;
  /** Envelopes behind one that waits for room, in order. */
  private readonly parked = new Ring<Envelope>();
  private readonly takenBack = new Set<number>();
  /** Number of the envelope that waits for room; 0: none. */
  private waitsFor = 0;
  private drained: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined;
  /** Nobody waits for answers any more. */
  private abandoned = false;

  constructor(
    private readonly link: Incoming,
    private readonly dispatch: Dispatch,
    private readonly mostParked: number,
  ) {}

  /** Number of the next envelope. */
  get next(): number {
    return this.read + 1;
  }

  /** A promise while so much is parked that the sender should be held. */
  get held(): Promise<void> | undefined {
    if (this.parked.size <= this.mostParked) return undefined;
    return (this.drained ??= withResolve()).promise;
  }

  event(number: number, target: LocalTarget, event: EventObject): void {
    this.read = number;
    if (this.waitsFor === 0) this.takeEvent(target, event, number, undefined);
    else
      this.parked.push({
        kind: EVENT,
        number,
        target,
        timeoutMs: 0,
        payload: event,
        messageId: undefined,
      });
  }

  envelope(envelope: Envelope): void {
    this.read = envelope.number;
    if (this.waitsFor === 0) this.take(envelope);
    else this.parked.push(envelope);
  }

  /** The envelope that waited for room is in its mailbox, was refused, or was given up; those behind it follow. */
  entered(): void {
    this.accept(this.waitsFor);
    this.waitsFor = 0;
    for (let next = this.parked.shift(); next !== undefined; next = this.parked.shift()) {
      if (!this.take(next)) break;
    }
    if (this.drained === undefined || this.parked.size > this.mostParked) return;
    this.drained.resolve();
    this.drained = undefined;
  }

  /** Whoever asked does not wait for the answer any more. */
  takeBack(number: number): void {
    const asked = this.asked.get(number);
    if (asked !== undefined) asked.giveUp();
    else if (number > this.link.out.finished.accepted && number <= this.read) this.takenBack.add(number);
  }

  /** Nobody waits for the answers any more: questions that have not begun are taken back. */
  giveUpAsked(): void {
    this.abandoned = true;
    for (const asked of [...this.asked.values()]) asked.giveUp();
  }

  /** `false`: it waits for room. */
  private take(envelope: Envelope): boolean {
    const { kind, number, target, payload, messageId } = envelope;
    if (payload instanceof FrameTooLargeError) {
      this.link.fail(number, payload);
      this.accept(number);
      return true;
    }
    if (kind === EVENT)
      return this.takeEvent(target as LocalTarget, payload as EventObject, number, messageId);
    if (this.takenBack.delete(number) || (this.abandoned && kind !== BROADCAST)) {
      this.link.fail(number, new Error('The question was taken back.'));
      this.accept(number);
      return true;
    }
    try {
      this.waitsFor = number;
      if (!this.dispatch.question(this.link, envelope)) return false;
    } catch (error) {
      this.link.fail(number, error);
    }
    this.waitsFor = 0;
    this.accept(number);
    return true;
  }

  private takeEvent(
    target: LocalTarget,
    event: EventObject,
    number: number,
    messageId: string | undefined,
  ): boolean {
    try {
      this.waitsFor = number;
      if (!this.dispatch.event(this.link, target, event, number, messageId)) return false;
    } catch (error) {
      this.link.fail(number, error);
    }
    this.waitsFor = 0;
    this.accept(number);
    return true;
  }

  private accept(number: number): void {
    const { out } = this.link;
    out.finished.accepted = number;
    out.remarksSoon();
  }
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
