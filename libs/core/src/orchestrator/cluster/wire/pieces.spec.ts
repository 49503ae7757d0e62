import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAGIC, VERSION } from './format.js';
import { FrameOutOfOrder, MalformedFrame } from './malformed-frame.js';
import { isPiece, PIECE_OVERHEAD, PieceJoiner, piecesOf } from './pieces.js';

const cut = (frame: Uint8Array, maxBytes: number): Uint8Array[] =>
  [...piecesOf(frame, maxBytes)].map(({ bytes }) => bytes);

/** The class of what is thrown, if anything is. */
function endOf(task: () => void): unknown {
  try {
    task();
    return undefined;
  } catch (error) {
    return (error as object).constructor;
  }
}

/** Nine bytes for each piece. */
const PART = 9;
const frameOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251);

describe('pieces of a frame', () => {
  it('stay below the limit and make the same frame again, one frame after the other', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 4 });
    const limits = fc.integer({ min: PIECE_OVERHEAD + 1, max: 600 });
    fc.assert(
      fc.property(lengths, limits, (lengthsOfFrames, maxBytes) => {
        const joiner = new PieceJoiner(2_000);
        for (const length of lengthsOfFrames) {
          const pieces = cut(frameOf(length), maxBytes);
          expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(maxBytes);
          expect(pieces.every((piece) => piece[0] === MAGIC && piece[1] === VERSION && isPiece(piece))).toBe(
            true,
          );
          const joined = pieces.map((piece) => joiner.take(piece));
          expect(joined.slice(0, -1).every((each) => each === undefined)).toBe(true);
          expect(joined.at(-1)).toEqual({ frame: frameOf(length), bytes: length, isTooLarge: false });
          expect(joiner.isOpen).toBe(false);
        }
      }),
    );
  });

  it('say which of them is the last', () => {
    const flags = [...piecesOf(frameOf(2 * PART), PIECE_OVERHEAD + PART)].map(({ isLast }) => isLast);
    expect(flags).toEqual([false, true]);
  });

  it('of which one is left out, comes twice or out of order are refused', () => {
    const pieces = cut(frameOf(10 * PART), PIECE_OVERHEAD + PART);
    const orders = fc.array(fc.nat(9), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(orders, (order) => {
        const joiner = new PieceJoiner(1_000);
        const taken = endOf(() => order.forEach((at) => joiner.take(pieces[at] as Uint8Array)));
        // A beginning in order is nothing wrong yet.
        const isInOrder = order.every((at, place) => at === place);
        expect(taken).toBe(isInOrder ? undefined : FrameOutOfOrder);
      }),
    );
  });

  it('of another frame are refused in the middle of one', () => {
    const joiner = new PieceJoiner(1_000);
    joiner.take(cut(frameOf(10 * PART), PIECE_OVERHEAD + PART)[0] as Uint8Array);
    const other = cut(frameOf(20 * PART), PIECE_OVERHEAD + PART)[1] as Uint8Array;
    expect(() => joiner.take(other)).toThrow(FrameOutOfOrder);
  });

  it('of a frame above the limit are counted and thrown away but for the first; the next frame comes whole', () => {
    const joiner = new PieceJoiner(100);
    const pieces = cut(frameOf(101), PIECE_OVERHEAD + 20);
    const joined = pieces.map((piece) => joiner.take(piece)).at(-1);
    expect(joined).toEqual({ frame: frameOf(20), bytes: 101, isTooLarge: true });
    const next = cut(frameOf(100), PIECE_OVERHEAD + 20).map((piece) => joiner.take(piece));
    expect(next.at(-1)).toEqual({ frame: frameOf(100), bytes: 100, isTooLarge: false });
  });

  it('that promise much take no memory before it is allowed', () => {
    const joiner = new PieceJoiner(100);
    const promise = Uint8Array.of(MAGIC, VERSION, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1);
    expect(joiner.take(promise)).toBeUndefined();
    expect(joiner.isOpen).toBe(true);
  });

  it('whose bytes are anything are taken or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (tails) => {
        const joiner = new PieceJoiner(64);
        const end = endOf(() =>
          tails.forEach((tail) => joiner.take(Uint8Array.of(MAGIC, VERSION, 0, ...tail))),
        );
        expect([undefined, MalformedFrame, FrameOutOfOrder]).toContain(end);
      }),
    );
  });
});
