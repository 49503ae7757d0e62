import type { EventObject } from '@nestjs-orchestrator/statechart';
import { Ring } from '../../pool/ring.js';
import { failureFrom, failureText } from '../wire/failure-text.js';
import {
  ACCEPTED,
  ANSWER,
  BROADCAST,
  CANCEL,
  CHANGED,
  DONE,
  EVENT,
  FAILED,
  HAS_REPLY,
  hasLimit,
  hasPayload,
  HELLO,
  LAST_KIND,
  MOST_HANDLES,
  NAMED_EVENT,
  REFUSED_MALFORMED,
  REFUSED_VERSION,
  REPLY,
  REQUEST,
  TARGET,
  VERSION,
} from '../wire/format.js';
import { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { FRAME_OVERHEAD, LONGEST_HEAD } from '../wire/batch.js';
import { frameKind, FrameReader } from '../wire/frame-reader.js';
import { FrameOutOfOrder, MalformedFrame } from '../wire/malformed-frame.js';
import { isPiece, PieceJoiner } from '../wire/pieces.js';
import type { Outgoing } from './outgoing.js';
import { RemoteAnswer } from '../remote/remote-answer.js';
import { LocalTarget } from './local-target.js';

/** Bytes of a frame of one message beside its payload: what it has of its own, a head, and the ends of the list. */
const AROUND_MESSAGE = FRAME_OVERHEAD + LONGEST_HEAD + 2;

/** What a link takes. */
export interface IncomingLimits {
  /** Envelopes that may be parked before the transport has to hold the sender's frames. A sender that keeps to its window stays below. */
  readonly mostParked: number;
  /** Bytes of the largest payload. */
  readonly maxMessageBytes: number;
}

/** One envelope, read. */
export interface Envelope {
  readonly kind: number;
  readonly number: number;
  readonly target: LocalTarget | undefined;
  readonly timeoutMs: number;
  readonly payload: unknown;
  /** By which a repeat is known. */
  readonly messageId: string | undefined;
}

/** What an envelope is handed to. */
export interface Dispatch {
  /**
   * Puts an event into its machine's mailbox. `false`: there is no room; `entered` is called when it is in or was refused.
   *
   * @throws whatever the event is refused with
   */
  event(
    link: Incoming,
    target: LocalTarget,
    event: EventObject,
    number: number,
    messageId: string | undefined,
  ): boolean;
  /** As `event`, for what is answered. */
  question(link: Incoming, envelope: Envelope): boolean;
}

/** What comes in from one incarnation of another process. */
export class Incoming {
  /** Group of the sender, as it said. */
  group: string | undefined = undefined;
  /** Questions that can be taken back, by number. */
  readonly asked = new Map<number, () => void>();
  private expected = 1;
  private readonly targets: (LocalTarget | undefined)[] = [];
  /** Envelopes behind one that waits for room, in order. */
  private readonly parked = new Ring<Envelope>();
  private readonly takenBack = new Set<number>();
  /** Number of the envelope that waits for room; 0: none. */
  private waitsFor = 0;
  private drained: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined;
  private refused = false;
  /** Nobody waits for answers any more. */
  private abandoned = false;
  private readonly pieces: PieceJoiner;

  constructor(
    readonly out: Outgoing,
    private readonly dispatch: Dispatch,
    private readonly limits: IncomingLimits,
    /** @param unread nothing that was sent there has been read */
    private readonly onRefused: (problem: string, unread: boolean) => void,
    /** Cluster of the sender; undefined: the own one. */
    readonly cluster?: string,
    /** Where what is in between may have lost frames: one was out of order, and nothing more of it is read. Otherwise the sender is refused. */
    private readonly onLoss?: (problem: string) => void,
  ) {
    this.pieces = new PieceJoiner(limits.maxMessageBytes + AROUND_MESSAGE);
  }

  frame(bytes: Uint8Array): void | Promise<void> {
    if (this.refused) return undefined;
    const found = frameKind(bytes);
    if (found.kind === 'frame') this.read(bytes);
    else if (found.kind === 'refusal') this.refusedThere(found.reason, found.version);
    else this.refuse(REFUSED_VERSION, versionProblem(found.version));
    if (this.parked.size <= this.limits.mostParked) return undefined;
    return (this.drained ??= withResolve()).promise;
  }

  /** The envelope that waited for room is in its mailbox, was refused, or was given up; those behind it follow. */
  entered(): void {
    this.accept(this.waitsFor);
    this.waitsFor = 0;
    for (let next = this.parked.shift(); next !== undefined; next = this.parked.shift()) {
      if (!this.take(next)) break;
    }
    if (this.drained === undefined || this.parked.size > this.limits.mostParked) return;
    this.drained.resolve();
    this.drained = undefined;
  }

  done(number: number): void {
    this.out.finished.done(number);
    this.out.remarksSoon();
  }

  fail(number: number, error: unknown): void {
    this.asked.delete(number);
    this.out.refuse(number, failureText(error));
  }

  /** @throws FrameTooLargeError */
  answer(number: number, text: string): void {
    this.out.answer(number, text);
    this.asked.delete(number);
  }

  /** @throws FrameTooLargeError */
  answerRequest(number: number, changed: boolean, snapshot: string, reply: string | undefined): void {
    this.out.answerRequest(number, changed, snapshot, reply);
    this.asked.delete(number);
  }

  /** Nobody waits for the answers any more: questions that have not begun are taken back. */
  giveUpAsked(): void {
    this.abandoned = true;
    for (const giveUp of [...this.asked.values()]) giveUp();
  }

  private read(bytes: Uint8Array): void {
    try {
      if (isPiece(bytes)) this.readPiece(bytes);
      else if (this.pieces.isOpen) throw new FrameOutOfOrder('the rest of the one before is missing');
      else this.readHeads(new FrameReader(bytes));
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error;
      if (error instanceof FrameOutOfOrder && this.onLoss !== undefined) {
        this.refused = true;
        this.onLoss(error.message);
      } else this.refuse(REFUSED_MALFORMED, `it sent a frame that can't be read: ${error.message}.`);
    }
  }

  private readPiece(bytes: Uint8Array): void {
    const joined = this.pieces.take(bytes);
    if (joined === undefined) return;
    if (frameKind(joined.frame).kind !== 'frame') throw new MalformedFrame('its pieces make no frame');
    const { frame, bytes: total, isTooLarge } = joined;
    const limit = this.limits.maxMessageBytes;
    const refusal = isTooLarge ? new FrameTooLargeError(total, limit, 'maxMessageBytes') : undefined;
    this.readHeads(new FrameReader(frame, refusal));
  }

  private readHeads(reader: FrameReader): void {
    let number = reader.first;
    // Before anything of it counts: what it means may have been said in those that are missing.
    if (number > this.expected) throw new FrameOutOfOrder('envelopes are missing before it');
    while (!reader.isAtEnd) {
      const kind = reader.byte();
      if (kind < EVENT) this.readRemark(kind, reader);
      else if (kind > LAST_KIND) throw new MalformedFrame(`there is no envelope of kind ${kind}`);
      else {
        this.readEnvelope(kind, number, reader);
        number += 1;
      }
    }
  }

  private readRemark(kind: number, reader: FrameReader): void {
    switch (kind) {
      case HELLO:
        this.group = groupIn(reader.payload());
        return;
      case ACCEPTED:
        if (!this.out.accepted(reader.number())) throw new MalformedFrame('it accepts what was not sent');
        return;
      case DONE:
        this.readDone(reader.number(), reader.number());
        return;
      case FAILED:
        this.readFailure(reader.number(), reader.payload());
        return;
      case REPLY:
        this.readReply(reader.number(), reader.payload());
        return;
      case ANSWER:
        this.readAnswer(reader);
        return;
      case CANCEL:
        this.takeBack(reader.number());
        return;
      case TARGET:
        this.define(reader.number(), reader.payload());
        return;
      default:
        throw new MalformedFrame(`there is no remark of kind ${kind}`);
    }
  }

  private readDone(first: number, count: number): void {
    if (!this.out.done(first, count)) throw new FrameOutOfOrder('it is done with what it did not accept');
  }

  private readReply(number: number, answer: unknown): void {
    if (answer instanceof FrameTooLargeError) this.readFailure(number, answer);
    else this.out.inFlight.take(number)?.replied(answer);
  }

  private readAnswer(reader: FrameReader): void {
    const number = reader.number();
    const flags = reader.byte();
    if (flags > (CHANGED | HAS_REPLY)) throw new MalformedFrame(`an answer has the flags ${flags}`);
    const snapshot = reader.text();
    const reply = (flags & HAS_REPLY) === 0 ? undefined : reader.payload();
    this.readReply(
      number,
      reply instanceof FrameTooLargeError
        ? reply
        : new RemoteAnswer((flags & CHANGED) !== 0, reply, snapshot),
    );
  }

  private readFailure(number: number, payload: unknown): void {
    const { inFlight } = this.out;
    const courier = inFlight.take(number);
    const { taken } = inFlight;
    courier?.ended(payload instanceof FrameTooLargeError ? payload : failureFrom(payload), taken);
  }

  private readEnvelope(kind: number, number: number, reader: FrameReader): void {
    if (this.group === undefined) throw new FrameOutOfOrder('it did not begin with its group');
    if (kind >= NAMED_EVENT) {
      this.readNamed(kind, number, reader);
      return;
    }
    const target = kind === BROADCAST ? undefined : this.targetOf(reader.number());
    const timeoutMs = hasLimit(kind) ? reader.number() : 0;
    const payload = hasPayload(kind) ? reader.payload() : undefined;
    if (!this.isNext(number)) return;
    if (this.waitsFor === 0 && kind === EVENT && reader.refusal === undefined)
      this.takeEvent(target as LocalTarget, payload as EventObject, number, undefined);
    else this.takeOrPark({ kind, number, target, timeoutMs, payload, messageId: undefined });
  }

  private readNamed(written: number, number: number, reader: FrameReader): void {
    const kind = written === NAMED_EVENT ? EVENT : REQUEST;
    const target = this.targetOf(reader.number());
    const timeoutMs = hasLimit(kind) ? reader.number() : 0;
    const given = reader.payload();
    const [messageId, payload] = given instanceof FrameTooLargeError ? [undefined, given] : namedIn(given);
    if (this.isNext(number)) this.takeOrPark({ kind, number, target, timeoutMs, payload, messageId });
  }

  /** `false`: it was seen before, in a frame that was sent again. */
  private isNext(number: number): boolean {
    if (number < this.expected) return false;
    this.expected = number + 1;
    return true;
  }

  private takeOrPark(envelope: Envelope): void {
    if (this.waitsFor === 0) this.take(envelope);
    else this.parked.push(envelope);
  }

  /** `false`: it waits for room. */
  private take(envelope: Envelope): boolean {
    const { kind, number, target, payload, messageId } = envelope;
    if (payload instanceof FrameTooLargeError) {
      this.fail(number, payload);
      this.accept(number);
      return true;
    }
    if (kind === EVENT)
      return this.takeEvent(target as LocalTarget, payload as EventObject, number, messageId);
    if (this.takenBack.delete(number) || (this.abandoned && kind !== BROADCAST)) {
      this.fail(number, new Error('The question was taken back.'));
      this.accept(number);
      return true;
    }
    try {
      this.waitsFor = number;
      if (!this.dispatch.question(this, envelope)) return false;
    } catch (error) {
      this.fail(number, error);
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
      if (!this.dispatch.event(this, target, event, number, messageId)) return false;
    } catch (error) {
      this.fail(number, error);
    }
    this.waitsFor = 0;
    this.accept(number);
    return true;
  }

  private accept(number: number): void {
    this.out.finished.accepted = number;
    this.out.remarksSoon();
  }

  private takeBack(number: number): void {
    const giveUp = this.asked.get(number);
    if (giveUp !== undefined) giveUp();
    else if (number > this.out.finished.accepted && number < this.expected) this.takenBack.add(number);
  }

  private define(handle: number, payload: unknown): void {
    if (handle >= MOST_HANDLES || !isTarget(payload)) throw new MalformedFrame('it names no machine');
    this.targets[handle] = new LocalTarget(payload[0], payload[1]);
  }

  private targetOf(handle: number): LocalTarget {
    const target = this.targets[handle];
    if (target === undefined) throw new FrameOutOfOrder('it means a machine that it did not name');
    return target;
  }

  private refuse(reason: number, problem: string): void {
    this.refused = true;
    this.out.refuseFrames(reason);
    this.onRefused(problem, false);
  }

  private refusedThere(reason: number, version: number): void {
    this.refused = true;
    if (reason === REFUSED_VERSION) this.onRefused(versionProblem(version), true);
    else this.onRefused('it can’t read what this process sends.', false);
  }
}

function versionProblem(version: number | undefined): string {
  return version === undefined
    ? 'it sent something that is no frame of this protocol.'
    : `it speaks version ${version} of the protocol, this process ${VERSION}.`;
}

function groupIn(payload: unknown): string {
  const group = (payload as { readonly group?: unknown } | null)?.group;
  if (typeof group !== 'string') throw new MalformedFrame('it has no group');
  return group;
}

function namedIn(payload: unknown): readonly [messageId: string, event: unknown] {
  const [messageId, event, ...rest] = Array.isArray(payload) ? (payload as unknown[]) : [];
  if (typeof messageId !== 'string' || rest.length > 0)
    throw new MalformedFrame('it does not say which message it is');
  return [messageId, event];
}

function isTarget(payload: unknown): payload is readonly [group: string, id: string] {
  return Array.isArray(payload) && payload.length === 2 && payload.every((part) => typeof part === 'string');
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
