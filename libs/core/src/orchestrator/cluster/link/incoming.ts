import type { EventObject } from '@nestjs-orchestrator/statechart';
import { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { FRAME_OVERHEAD, LONGEST_HEAD } from '../wire/batch.js';
import { failureText } from '../wire/failure-text.js';
import {
  BROADCAST,
  CANCEL,
  EVENT,
  hasLimit,
  hasPayload,
  HELLO,
  LAST_KIND,
  NAMED_EVENT,
  PROBE,
  REFUSED_MALFORMED,
  REFUSED_VERSION,
  REQUEST,
  TARGET,
  VERSION,
} from '../wire/format.js';
import { frameKind, FrameReader } from '../wire/frame-reader.js';
import { FrameOutOfOrder, MalformedFrame } from '../../../framing/malformed-frame.js';
import { isPiece, LinkPieces } from '../wire/pieces.js';
import type { Dispatch } from './dispatch.js';
import { Intake } from './intake.js';
import type { LocalTarget } from './local-target.js';
import { NamedTargets } from './named-targets.js';
import { Outcomes } from './outcomes.js';
import type { Outgoing } from './outgoing.js';

/** Bytes of a frame of one message beside its payload: what it has of its own, a head, and the ends of the list. */
const AROUND_MESSAGE = FRAME_OVERHEAD + LONGEST_HEAD + 2;

/** What a link takes. */
export interface IncomingLimits {
  /** Envelopes that may be parked before the transport has to hold the sender's frames. A sender that keeps to its window stays below. */
  readonly mostParked: number;
  /** Bytes of the largest payload. */
  readonly maxMessageBytes: number;
}

/** What comes in from one incarnation of another process. */
export class Incoming {
  /** Group of the sender, as it said. */
  group: string | undefined = undefined;
  private readonly targets = new NamedTargets();
  private readonly outcomes: Outcomes;
  private readonly intake: Intake;
  private readonly pieces: LinkPieces;
  /** Bytes of the largest payload. */
  private readonly maxMessageBytes: number;
  /** Number of the last frame that was read. */
  private frames = 0;
  private refused = false;

  constructor(
    readonly out: Outgoing,
    dispatch: Dispatch,
    limits: IncomingLimits,
    /** @param unread nothing that was sent there has been read */
    private readonly onRefused: (problem: string, unread: boolean) => void,
    /** Cluster of the sender; undefined: the own one. */
    readonly cluster?: string,
    /** Where what is in between may have lost frames: one was out of order, and nothing more of it is read. Otherwise the sender is refused. */
    private readonly onLoss?: (problem: string) => void,
  ) {
    this.outcomes = new Outcomes(out);
    this.intake = new Intake(this, dispatch, limits.mostParked);
    this.maxMessageBytes = limits.maxMessageBytes;
    this.pieces = new LinkPieces(limits.maxMessageBytes + AROUND_MESSAGE);
  }

  /** Questions that can be taken back, by number. */
  get asked(): Map<number, { giveUp(): void }> {
    return this.intake.asked;
  }

  frame(bytes: Uint8Array): void | Promise<void> {
    if (this.refused) return undefined;
    const found = frameKind(bytes);
    if (found.kind === 'frame') this.read(bytes);
    else if (found.kind === 'refusal') this.refusedThere(found.reason, found.version);
    else this.refuse(REFUSED_VERSION, versionProblem(found.version));
    return this.intake.held;
  }

  /** The envelope that waited for room is in its mailbox, was refused, or was given up; those behind it follow. */
  entered(): void {
    this.intake.entered();
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
    this.intake.giveUpAsked();
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
    const joined = this.pieces.takeOf(this.frames + 1, bytes);
    if (joined === undefined) return;
    if (frameKind(joined.frame).kind !== 'frame') throw new MalformedFrame('its pieces make no frame');
    const { frame, bytes: total, isTooLarge } = joined;
    const limit = this.maxMessageBytes;
    const refusal = isTooLarge ? new FrameTooLargeError(total, limit, 'maxMessageBytes') : undefined;
    this.readHeads(new FrameReader(frame, refusal));
  }

  private readHeads(reader: FrameReader): void {
    const next = this.frames + 1;
    // It was sent again.
    if (reader.frame < next) return;
    // Before anything of it counts: what it means may have been said in those that are missing.
    if (reader.frame > next) throw new FrameOutOfOrder('frames are missing before it');
    this.frames = next;
    while (!reader.isAtEnd) {
      const kind = reader.byte();
      if (kind < EVENT) this.readRemark(kind, reader);
      else if (kind > LAST_KIND) throw new MalformedFrame(`there is no envelope of kind ${kind}`);
      else this.readEnvelope(kind, reader);
    }
  }

  private readRemark(kind: number, reader: FrameReader): void {
    switch (kind) {
      case HELLO:
        this.group = groupIn(reader.payload());
        return;
      case CANCEL:
        this.intake.takeBack(reader.number());
        return;
      case PROBE:
        this.out.tellRead(this.frames);
        return;
      case TARGET:
        this.targets.define(reader.number(), reader.payload());
        return;
      default:
        this.outcomes.read(kind, reader);
    }
  }

  private readEnvelope(kind: number, reader: FrameReader): void {
    if (this.group === undefined) throw new MalformedFrame('it did not begin with its group');
    if (kind >= NAMED_EVENT) {
      this.readNamed(kind, reader);
      return;
    }
    const target = kind === BROADCAST ? undefined : this.targets.of(reader.number());
    const timeoutMs = hasLimit(kind) ? reader.number() : 0;
    const payload = hasPayload(kind) ? reader.payload() : undefined;
    const number = this.intake.next;
    if (kind === EVENT && reader.refusal === undefined)
      this.intake.event(number, target as LocalTarget, payload as EventObject);
    else this.intake.envelope({ kind, number, target, timeoutMs, payload, messageId: undefined });
  }

  private readNamed(written: number, reader: FrameReader): void {
    const kind = written === NAMED_EVENT ? EVENT : REQUEST;
    const target = this.targets.of(reader.number());
    const timeoutMs = hasLimit(kind) ? reader.number() : 0;
    const given = reader.payload();
    const [messageId, payload] = given instanceof FrameTooLargeError ? [undefined, given] : namedIn(given);
    const number = this.intake.next;
    this.intake.envelope({ kind, number, target, timeoutMs, payload, messageId });
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
