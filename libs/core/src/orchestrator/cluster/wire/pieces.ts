import { PieceJoiner } from '../../../framing/pieces.js';
import { MAGIC, VERSION } from './format.js';

const NUMBER_AT = 2;

/** What a piece begins with: a 0 in place of the number of the first envelope, which is at least 1. */
export const PIECE_HEAD = Uint8Array.of(MAGIC, VERSION, 0);

/** Whether a frame of this version is a piece of a larger one. */
export function isPiece(bytes: Uint8Array): boolean {
  return bytes[NUMBER_AT] === 0;
}

/** Joins the pieces that one end of a link sends. */
export class LinkPieces extends PieceJoiner {
  constructor(maxBytes: number) {
    super(maxBytes, PIECE_HEAD.length);
  }
}
