import { FrameOutOfOrder, MalformedFrame, PieceJoiner } from '@nestjs-orchestrator/core/internal';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { HEAD_BYTES, headOf, PIECE_HEAD, wire, type WireHead } from './wire.js';

/** What an inbox tells beside frames. */
export interface InboxTroubles {
  /** A packet of so many bytes is above the limit. */
  tooLarge(from: Endpoint, head: WireHead, bytes: number): void;
  /**
   * Pieces of a packet do not fit together; told once for each packet.
   *
   * @param isGap pieces are missing, rather than wrong
   * @param head of what came before, if anything did
   */
  broken(from: Endpoint, problem: string, isGap: boolean, head: WireHead | undefined): void;
}

/** Makes whole frames of what comes in. Of each sender it keeps one packet in pieces, of at most `maxPacketBytes`, and takes no memory for what only is announced. */
export class Inbox {
  /** Those of whom a packet is under way in pieces. */
  private readonly joiners = new Map<string, PieceJoiner>();
  /** Those whose pieces are thrown away up to the next first one. */
  private readonly skipped = new Set<string>();
  private readonly maxFrame: number;

  constructor(
    maxPacketBytes: number,
    private readonly troubles: InboxTroubles,
  ) {
    this.maxFrame = HEAD_BYTES + maxPacketBytes;
  }

  /** Bytes of memory for packets that have not come whole. */
  get heldBytes(): number {
    return [...this.joiners.values()].reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** The frame, as soon as it is whole. */
  take(from: Endpoint, bytes: Uint8Array): Uint8Array | undefined {
    const kind = bytes[0];
    if (kind === wire.piece) return this.takePiece(from, bytes);
    if (kind === wire.dropped) this.drop(from);
    else {
      if (this.joiners.size > 0) this.assertWhole(from);
      if (bytes.length <= this.maxFrame) return bytes;
      this.tellTooLarge(from, bytes, bytes.length);
    }
    return undefined;
  }

  /** Nothing more comes from there. */
  drop({ incarnation }: Endpoint): void {
    this.joiners.delete(incarnation);
    this.skipped.delete(incarnation);
  }

  private takePiece(from: Endpoint, bytes: Uint8Array): Uint8Array | undefined {
    const { incarnation } = from;
    const joiner = this.joiners.get(incarnation) ?? new PieceJoiner(this.maxFrame, PIECE_HEAD.length);
    try {
      const joined = joiner.take(bytes);
      this.skipped.delete(incarnation);
      if (joined === undefined) this.joiners.set(incarnation, joiner);
      else this.joiners.delete(incarnation);
      if (joined?.isTooLarge === true) this.tellTooLarge(from, joined.frame, joined.bytes);
      else return joined?.frame;
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error;
      this.break(from, joiner, error.message, error instanceof FrameOutOfOrder);
    }
    return undefined;
  }

  private assertWhole(from: Endpoint): void {
    const joiner = this.joiners.get(from.incarnation);
    if (joiner !== undefined) this.break(from, joiner, 'the rest of a packet is missing', true);
  }

  private break(from: Endpoint, joiner: PieceJoiner, problem: string, isGap: boolean): void {
    const { incarnation } = from;
    this.joiners.delete(incarnation);
    const begun = joiner.drop();
    if (this.skipped.has(incarnation)) return;
    this.skipped.add(incarnation);
    this.troubles.broken(from, problem, isGap, begun && headOf(begun));
  }

  private tellTooLarge(from: Endpoint, begun: Uint8Array, bytes: number): void {
    const head = headOf(begun);
    if (head !== undefined) this.troubles.tooLarge(from, head, bytes - HEAD_BYTES);
  }
}
