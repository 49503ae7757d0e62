import { FrameOutOfOrder } from '../../../framing/malformed-frame.js';
import { NumberReader, NumberWriter } from '../../../framing/numbers.js';
import { type Joined, PieceJoiner } from '../../../framing/pieces.js';
import { MAGIC, VERSION } from './format.js';

const NUMBER_AT = 2;
/** In place of the number of a frame, which is at least 1. */
const PIECE = 0;

/** What each piece of the frame of that number begins with. */
export function pieceHead(frame: number): Uint8Array {
  const head = new NumberWriter();
  head.byte(MAGIC);
  head.byte(VERSION);
  head.number(PIECE);
  head.number(frame);
  return head.bytes.slice(0, head.length);
}

/** Whether a frame of this version is a piece of a larger one. */
export function isPiece(bytes: Uint8Array): boolean {
  return bytes[NUMBER_AT] === PIECE;
}

/** Joins the pieces that one end of a link sends. */
export class LinkPieces extends PieceJoiner {
  constructor(maxBytes: number) {
    super(maxBytes, NUMBER_AT + 1);
  }

  /**
   * Takes a piece, where the next frame is that of number `next`; one of a frame before it was seen already. @returns the frame, with its last piece
   *
   * @throws FrameOutOfOrder where it is not the next one; MalformedFrame where it has no right length
   */
  takeOf(next: number, piece: Uint8Array): Joined | undefined {
    const reader = new NumberReader(piece, NUMBER_AT + 1, piece.length);
    const number = reader.number();
    if (number < next) return undefined;
    if (number > next) throw new FrameOutOfOrder('frames are missing before it');
    return this.join(piece, reader.at);
  }
}
