import { FrameOutOfOrder, MalformedFrame } from './malformed-frame.js';
import { LONGEST_NUMBER, NumberReader, NumberWriter } from './numbers.js';

/** Bytes of a piece beside its head and what it carries, at most. */
export const PIECE_OVERHEAD = 2 * LONGEST_NUMBER;
/** Memory for what is under way, in times of what has come of it: what a sender promises is no reason to take any. */
const MOST_AHEAD = 8;

/** A part of a frame, as a frame of its own. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Cuts a frame into pieces, each of which is a frame of at most so many bytes: a head by which its protocol knows pieces, bytes of the whole, bytes that came
 * before (both as numbers of 7 bits a byte), bytes.
 */
export function* piecesOf(
  frame: Uint8Array,
  maxBytes: number,
  head: Uint8Array,
): Generator<Piece, void, undefined> {
  const share = Math.max(1, maxBytes - head.length - PIECE_OVERHEAD);
  for (let at = 0; at < frame.length; at += share) {
    const numbers = new NumberWriter();
    numbers.number(frame.length);
    numbers.number(at);
    const bytes = frame.subarray(at, at + share);
    const piece = new Uint8Array(head.length + numbers.length + bytes.length);
    piece.set(head);
    piece.set(numbers.bytes.subarray(0, numbers.length), head.length);
    piece.set(bytes, head.length + numbers.length);
    yield { bytes: piece, isLast: at + share >= frame.length };
  }
}

/** A frame that came in pieces. */
export interface Joined {
  /** Where the whole is above the limit, only what the first piece had: enough to tell what it was. */
  readonly frame: Uint8Array;
  /** Bytes of the whole. */
  readonly bytes: number;
  readonly isTooLarge: boolean;
}

/** Joins the pieces of one sender. It keeps at most so many bytes of what has not come whole. */
export class PieceJoiner {
  private frame: Uint8Array | undefined = undefined;
  /** Bytes of the frame that is under way. */
  private total = 0;
  private came = 0;

  /** @param headBytes of a piece, before its numbers */
  constructor(
    private readonly maxBytes: number,
    private readonly headBytes: number,
  ) {}

  /** Whether a frame is under way: nothing but its next piece may come. */
  get isOpen(): boolean {
    return this.frame !== undefined;
  }

  /** Bytes of memory that are taken for the frame that is under way. */
  get heldBytes(): number {
    return this.frame?.buffer.byteLength ?? 0;
  }

  /**
   * Takes a piece. @returns the frame, with its last one
   *
   * @throws FrameOutOfOrder where it is not the next one; MalformedFrame where it has no right length
   */
  take(piece: Uint8Array): Joined | undefined {
    return this.join(piece, this.headBytes);
  }

  /** As `take`, of a piece with a head of so many bytes. */
  protected join(piece: Uint8Array, headBytes: number): Joined | undefined {
    const reader = new NumberReader(piece, headBytes, piece.length);
    const [total, before] = [reader.number(), reader.number()];
    const bytes = piece.subarray(reader.at);
    this.assertNext(total, before, bytes.length);
    this.total = total;
    const isTooLarge = total > this.maxBytes;
    if (isTooLarge) this.frame ??= bytes.slice();
    else this.add(bytes);
    this.came += bytes.length;
    if (this.came < total) return undefined;
    const joined = { frame: this.frame as Uint8Array, bytes: total, isTooLarge };
    this.drop();
    return joined;
  }

  /** Forgets what is under way. @returns what its first pieces had, if anything is */
  drop(): Uint8Array | undefined {
    const begun = this.frame?.subarray(0, this.came);
    this.frame = undefined;
    this.came = 0;
    return begun;
  }

  private add(bytes: Uint8Array): void {
    const end = this.came + bytes.length;
    if (this.frame === undefined || this.frame.length < end) {
      const larger = new Uint8Array(Math.min(this.total, end * MOST_AHEAD));
      if (this.frame !== undefined) larger.set(this.frame);
      this.frame = larger;
    }
    this.frame.set(bytes, this.came);
  }

  private assertNext(total: number, before: number, bytes: number): void {
    if (before !== this.came || (this.isOpen && total !== this.total))
      throw new FrameOutOfOrder('a piece of a frame is missing');
    if (bytes === 0 || bytes > total - before)
      throw new MalformedFrame('a piece of a frame has no right length');
  }
}
