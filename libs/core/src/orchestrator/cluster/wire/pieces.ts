import { MAGIC, VERSION } from './format.js';
import { FrameOutOfOrder, MalformedFrame } from './malformed-frame.js';
import { LONGEST_NUMBER, NumberReader, NumberWriter } from './numbers.js';

/** In place of the number of the first envelope, which is at least 1. */
const PIECE = 0;
const PIECE_AT = 2;
/** Bytes of a piece beside what it carries. */
export const PIECE_OVERHEAD = PIECE_AT + 1 + 2 * LONGEST_NUMBER;

/** A part of a frame, as a frame of its own. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Cuts a frame into pieces, each of which is a frame of at most so many bytes. */
export function* piecesOf(frame: Uint8Array, maxBytes: number): Generator<Piece, void, undefined> {
  const share = Math.max(1, maxBytes - PIECE_OVERHEAD);
  for (let at = 0; at < frame.length; at += share) {
    const head = new NumberWriter();
    head.byte(MAGIC);
    head.byte(VERSION);
    head.number(PIECE);
    head.number(frame.length);
    head.number(at);
    const bytes = frame.subarray(at, at + share);
    const piece = new Uint8Array(head.length + bytes.length);
    piece.set(head.bytes.subarray(0, head.length));
    piece.set(bytes, head.length);
    yield { bytes: piece, isLast: at + share >= frame.length };
  }
}

/** Whether a frame of this version is a piece of a larger one. */
export function isPiece(bytes: Uint8Array): boolean {
  return bytes[PIECE_AT] === PIECE;
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

  constructor(private readonly maxBytes: number) {}

  /** Whether a frame is under way: nothing but its next piece may come. */
  get isOpen(): boolean {
    return this.frame !== undefined;
  }

  /**
   * Takes a piece. @returns the frame, with its last one
   *
   * @throws FrameOutOfOrder where it is not the next one; MalformedFrame where it has no right length
   */
  take(piece: Uint8Array): Joined | undefined {
    const reader = new NumberReader(piece, PIECE_AT + 1, piece.length);
    const [total, before] = [reader.number(), reader.number()];
    const bytes = piece.subarray(reader.at);
    this.assertNext(total, before, bytes.length);
    const isTooLarge = total > this.maxBytes;
    this.frame ??= this.begin(total, isTooLarge, bytes);
    if (!isTooLarge) this.frame.set(bytes, before);
    this.came += bytes.length;
    if (this.came < total) return undefined;
    const joined = { frame: this.frame, bytes: total, isTooLarge };
    this.frame = undefined;
    this.came = 0;
    return joined;
  }

  private begin(total: number, isTooLarge: boolean, first: Uint8Array): Uint8Array {
    this.total = total;
    return isTooLarge ? first : new Uint8Array(total);
  }

  private assertNext(total: number, before: number, bytes: number): void {
    if (before !== this.came || (this.isOpen && total !== this.total))
      throw new FrameOutOfOrder('a piece of a frame is missing');
    if (bytes === 0 || bytes > total - before)
      throw new MalformedFrame('a piece of a frame has no right length');
  }
}
