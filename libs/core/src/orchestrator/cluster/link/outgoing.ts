import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Endpoint } from '../../../ports/transport.js';
import { Ring } from '../../pool/ring.js';
import { OutcomeUnknownError } from '../cluster-errors.js';
import type { RemoteMachine } from '../remote/remote-machine.js';
import { Batch } from '../wire/batch.js';
import {
  ANSWER,
  BROADCAST,
  CANCEL,
  CHANGED,
  EVENT,
  FAILED,
  HAS_REPLY,
  hasLimit,
  HELLO,
  MAGIC,
  MOST_HANDLES,
  MOST_SNAPSHOT_UNITS,
  PROBE,
  READ,
  REFUSAL,
  REPLY,
  TARGET,
  VERSION,
} from '../wire/format.js';
import { Finished } from './finished.js';
import { HandOver } from './hand-over.js';
import { type Courier, InFlight } from './in-flight.js';
import type { LinkContext } from './link-context.js';
import { kindOf, type Posting, textOf } from './posting.js';
import { TailProbe } from './tail-probe.js';

/** Runs of done envelopes that are told before the turn is over. */
const MANY_RUNS = 2_048;

/** Bytes of heads for which it is worth to write on in a batch. */
const LEAST_ROOM = 128;

/** What this process sends to one incarnation of another: envelopes under a window, and remarks about what came from there. */
export class Outgoing {
  readonly inFlight = new InFlight();
  /** About what came in; told with whatever leaves next. */
  readonly finished = new Finished();
  /** Why nothing more is sent. */
  closed: Error | undefined = undefined;
  private readonly line = new Ring<Posting>();
  private batch = new Batch();
  private readonly handOver: HandOver;
  /** Number of the last frame that the other side has read, as it said when it was asked. */
  private read = 0;
  private readonly tail: TailProbe | undefined;
  private readonly full: Batch[] = [];
  private flushComes = false;
  private remarksCome = false;
  private readonly handles: (RemoteMachine | undefined)[] = [];
  private nextHandle = 0;

  constructor(
    private readonly context: LinkContext,
    readonly to: Endpoint,
  ) {
    const { probes } = context;
    const known = {
      read: () => this.read,
      accepted: () => this.inFlight.accepted,
      isOpen: () => this.inFlight.unfinished > 0,
    };
    this.tail = probes && new TailProbe(probes, known, () => this.probe());
    this.handOver = new HandOver(context, to, {
      left: (frame, envelope) => this.tail?.sent(frame, envelope),
      relieved: () => this.flush(),
      failed: (error) => this.close(error, true),
    });
    this.remark(HELLO, undefined, JSON.stringify({ group: context.group }));
  }

  /** Whether no event leaves now, whatever its size. */
  get isFull(): boolean {
    return this.line.size > 0 || !this.hasRoom(1);
  }

  /** Whether something of so many characters leaves now; `false`: the window is spent, or others wait. */
  takes(units: number): boolean {
    return this.line.size === 0 && this.hasRoom(units);
  }

  /** Whether an event leaves now. Allocates nothing but the text. */
  tryEvent(target: RemoteMachine, text: string, courier: Courier, event: EventObject): boolean {
    if (!this.takes(text.length)) return false;
    this.envelope(EVENT, target, 0, text, courier, event);
    return true;
  }

  /** In line behind those that wait already. */
  submit(posting: Posting): void {
    if (this.closed !== undefined) {
      posting.courier.ended(this.closed, posting.event);
      return;
    }
    const text = textOf(posting);
    if (this.takes(text.length)) {
      this.leave(posting, text);
      return;
    }
    this.context.waiting += 1;
    this.line.push(posting);
    this.letIn();
  }

  /** Takes back what has not left; the answer to what has is no longer waited for. */
  withdraw(posting: Posting): void {
    if (posting.number === 0) {
      posting.cancelled = true;
      return;
    }
    this.remark(CANCEL, posting.number, undefined);
    this.flushSoon();
  }

  /** @throws FrameTooLargeError */
  answer(number: number, text: string): void {
    this.context.assertFits(text);
    this.remark(REPLY, number, text);
    this.flushSoon();
  }

  /**
   * The outcome of a request. A short snapshot stands apart from the reply, so that whoever asked reads it only where it is looked at.
   *
   * @throws FrameTooLargeError
   */
  answerRequest(number: number, changed: boolean, snapshot: string, reply: string | undefined): void {
    if (snapshot.length > MOST_SNAPSHOT_UNITS) {
      const rest = reply === undefined ? '' : `,"reply":${reply}`;
      this.answer(number, `{"changed":${changed},"snapshot":${snapshot}${rest}}`);
      return;
    }
    if (reply !== undefined) this.context.assertFits(reply);
    if (this.closed !== undefined) return;
    this.makeRoom(snapshot.length + (reply?.length ?? 0));
    const { batch } = this;
    batch.matters = true;
    batch.heads.byte(ANSWER);
    batch.heads.number(number);
    batch.heads.byte((changed ? CHANGED : 0) | (reply === undefined ? 0 : HAS_REPLY));
    batch.heads.text(snapshot);
    if (reply !== undefined) batch.payload(reply);
    this.flushSoon();
  }

  refuse(number: number, text: string): void {
    this.remark(FAILED, number, text);
    this.flushSoon();
  }

  /** There is something new in `finished`: it is told with the next frame, at the latest at the end of the turn. */
  remarksSoon(): void {
    if (this.finished.size >= MANY_RUNS) {
      this.flush();
      return;
    }
    if (this.remarksCome) return;
    this.remarksCome = true;
    this.context.scheduler.nextTurn(this.remarks);
  }

  /** The other side has accepted everything up to this number; `false`: it can't have. */
  accepted(number: number): boolean {
    if (!this.inFlight.acceptUpTo(number)) return false;
    this.letIn();
    return true;
  }

  /** `false`: it can't be, since it did not accept them. */
  done(first: number, count: number): boolean {
    const end = first + count;
    if (end - 1 > this.inFlight.accepted) return false;
    for (let number = first; number < end; number += 1) this.inFlight.take(number);
    if (this.line.size > 0) this.letIn();
    return true;
  }

  /** Answers a probe: everything up to this frame was read. */
  tellRead(frame: number): void {
    this.aside(READ, frame);
  }

  /** The other side has read everything up to this frame; `false`: it can't have. */
  wasRead(frame: number): boolean {
    if (frame > this.handOver.frames) return false;
    this.read = Math.max(this.read, frame);
    return true;
  }

  /** Settles when everything is in the hands of the transport. */
  async handedOver(): Promise<void> {
    this.flush();
    const { handOver } = this;
    while (handOver.blocked !== undefined && this.closed === undefined) await handOver.blocked;
  }

  /**
   * Nothing more is sent. What waits or has not left is refused with `reason`; of what has left, nobody knows where the other side is gone.
   */
  close(reason: Error, otherSideIsGone: boolean): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    this.tail?.close();
    this.handOver.close();
    this.context.linkClosed(this);
    for (let posting = this.line.shift(); posting !== undefined; posting = this.line.shift()) {
      this.context.waiting -= 1;
      if (!posting.cancelled) posting.courier.ended(reason, posting.event);
    }
    const taken = otherSideIsGone ? this.handOver.mayBeTaken : 0;
    for (const [number, courier, event] of this.inFlight.takeAll()) {
      const error =
        number > taken
          ? reason
          : new OutcomeUnknownError(courier.address, event?.type ?? 'a question', this.to.name);
      courier.ended(error, event);
    }
    this.full.length = 0;
    this.batch.clear();
    this.handles.length = 0;
  }

  /** Tells the other side, in words of all versions, that its frames can't be read. */
  refuseFrames(reason: number): void {
    try {
      this.context.seat.trySend(this.to, Uint8Array.of(MAGIC, REFUSAL, reason, VERSION));
    } catch {
      // It is gone: there is nobody left to tell.
    }
  }

  private hasRoom(units: number): boolean {
    const { inFlight, context } = this;
    const { maxUnaccepted, maxUnacceptedCharacters, maxUnfinished } = context.limits;
    return (
      inFlight.unaccepted < maxUnaccepted &&
      inFlight.unfinished < maxUnfinished &&
      (inFlight.units === 0 || inFlight.units + units <= maxUnacceptedCharacters)
    );
  }

  private letIn(): void {
    for (let posting = this.line.peek(); posting !== undefined; posting = this.line.peek()) {
      const text = textOf(posting);
      if (!posting.cancelled && !this.hasRoom(text.length)) return;
      this.line.shift();
      this.context.waiting -= 1;
      if (!posting.cancelled) this.leave(posting, text);
    }
  }

  private leave(posting: Posting, text: string): void {
    const { target, timeoutMs, courier, event } = posting;
    posting.number = this.envelope(kindOf(posting), target, timeoutMs, text, courier, event);
  }

  private envelope(
    kind: number,
    target: RemoteMachine | undefined,
    timeoutMs: number,
    text: string,
    courier: Courier,
    event: EventObject | undefined,
  ): number {
    const handle = target === undefined ? 0 : this.handleOf(target);
    this.makeRoom(text.length);
    if (this.closed !== undefined) {
      // Found out by the frame before this one.
      courier.ended(this.closed, event);
      return 0;
    }
    const { batch } = this;
    const { heads } = batch;
    if (batch.envelopes === 0) batch.first = this.inFlight.next;
    batch.envelopes += 1;
    batch.matters = true;
    heads.byte(kind);
    if (kind !== BROADCAST) heads.number(handle);
    if (hasLimit(kind)) heads.number(timeoutMs);
    if (text !== '') batch.payload(text);
    const number = this.inFlight.push(courier, event, text.length);
    if (batch.isWorthSending) this.flush();
    else this.flushSoon();
    return number;
  }

  private remark(kind: number, number: number | undefined, text: string | undefined): void {
    if (this.closed !== undefined) return;
    this.makeRoom(text?.length ?? 0);
    const { batch } = this;
    batch.matters = true;
    batch.heads.byte(kind);
    if (number !== undefined) batch.heads.number(number);
    if (text !== undefined) batch.payload(text);
  }

  /** What waits for room is behind others, and shows that they are missing. */
  private probe(): void {
    if (this.handOver.blocked === undefined) this.aside(PROBE, undefined);
  }

  /** A remark about the frames themselves: nobody waits for it. */
  private aside(kind: number, number: number | undefined): void {
    if (this.closed !== undefined) return;
    this.makeRoom(0);
    const { heads } = this.batch;
    heads.byte(kind);
    if (number !== undefined) heads.number(number);
    this.flushSoon();
  }

  private handleOf(target: RemoteMachine): number {
    if (target.handledBy === this) return target.handle;
    const handle = this.nextHandle;
    this.nextHandle = (handle + 1) % MOST_HANDLES;
    const before = this.handles[handle];
    if (before?.handledBy === this && before.handle === handle) before.handledBy = undefined;
    this.handles[handle] = target;
    target.handledBy = this;
    target.handle = handle;
    this.remark(TARGET, handle, JSON.stringify([target.group, target.id]));
    return handle;
  }

  /** Another payload of so many characters fits into the batch afterwards. */
  private makeRoom(units: number): void {
    const { batch, context } = this;
    if (batch.isEmpty) return;
    // A batch that is worth sending and could not leave grows no further: the other side can begin with it while the next one is on its way.
    if (!batch.isWorthSending && batch.hasRoomFor(units, context.seat.maxFrameBytes)) return;
    this.full.push(batch);
    this.batch = new Batch();
    if (this.handOver.blocked === undefined) this.flush();
  }

  private flushSoon(): void {
    if (this.flushComes) return;
    this.flushComes = true;
    this.context.scheduler.soon(this.flushNow);
  }

  private readonly flushNow = (): void => {
    this.flushComes = false;
    this.flush();
  };

  private readonly remarks = (): void => {
    this.remarksCome = false;
    if (!this.finished.isEmpty) this.flush();
  };

  private flush(): void {
    if (this.closed !== undefined || this.handOver.blocked !== undefined) return;
    while (!this.finished.isEmpty) this.tellFinished();
    for (let next = this.full.shift(); next !== undefined; next = this.full.shift()) {
      if (!this.handOver.hand(next)) return;
    }
    if (!this.batch.isEmpty) this.handOver.hand(this.batch);
  }

  private tellFinished(): void {
    const room = this.batch.roomForHeads(this.context.seat.maxFrameBytes);
    if (room < LEAST_ROOM && !this.batch.isEmpty) {
      this.full.push(this.batch);
      this.batch = new Batch();
    } else {
      this.batch.matters = true;
      this.finished.writeTo(this.batch.heads, room);
    }
  }
}
