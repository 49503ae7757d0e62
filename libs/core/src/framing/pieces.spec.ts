import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameOutOfOrder, MalformedFrame } from './malformed-frame.js';
import { PIECE_OVERHEAD, PieceJoiner, piecesOf } from './pieces.js';

/** Of each piece, in these tests. */
const HEAD = Uint8Array.of(7, 1, 0);
/** Bytes of a piece beside what it carries. */
const AROUND = HEAD.length + PIECE_OVERHEAD;
const joinerOf = (maxBytes: number): PieceJoiner => new PieceJoiner(maxBytes, HEAD.length);
const cut = (frame: Uint8Array, maxBytes: number): Uint8Array[] =>
  [...piecesOf(frame, maxBytes, HEAD)].map(({ bytes }) => bytes);

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
    const limits = fc.integer({ min: AROUND + 1, max: 600 });
    fc.assert(
      fc.property(lengths, limits, (lengthsOfFrames, maxBytes) => {
        const joiner = joinerOf(2_000);
        for (const length of lengthsOfFrames) {
          const pieces = cut(frameOf(length), maxBytes);
          expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(maxBytes);
          const heads = pieces.map((piece) => [...piece.subarray(0, HEAD.length)]);
          expect(heads).toEqual(pieces.map(() => [...HEAD]));
          const joined = pieces.map((piece) => joiner.take(piece));
          expect(joined.slice(0, -1).every((each) => each === undefined)).toBe(true);
          expect(joined.at(-1)).toEqual({ frame: frameOf(length), bytes: length, isTooLarge: false });
          expect(joiner.isOpen).toBe(false);
        }
      }),
    );
  });

  it('say which of them is the last', () => {
    const flags = [...piecesOf(frameOf(2 * PART), AROUND + PART, HEAD)].map(({ isLast }) => isLast);
    expect(flags).toEqual([false, true]);
  });

  it('of which one is left out, comes twice or out of order are refused', () => {
    const pieces = cut(frameOf(10 * PART), AROUND + PART);
    const orders = fc.array(fc.nat(9), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(orders, (order) => {
        const joiner = joinerOf(1_000);
        const taken = endOf(() => order.forEach((at) => joiner.take(pieces[at] as Uint8Array)));
        // A beginning in order is nothing wrong yet.
        const isInOrder = order.every((at, place) => at === place);
        expect(taken).toBe(isInOrder ? undefined : FrameOutOfOrder);
      }),
    );
  });

  it('of another frame are refused in the middle of one', () => {
    const joiner = joinerOf(1_000);
    joiner.take(cut(frameOf(10 * PART), AROUND + PART)[0] as Uint8Array);
    const other = cut(frameOf(20 * PART), AROUND + PART)[1] as Uint8Array;
    expect(() => joiner.take(other)).toThrow(FrameOutOfOrder);
  });

  it('of a frame above the limit are counted and thrown away but for the first; the next frame comes whole', () => {
    const joiner = joinerOf(100);
    const pieces = cut(frameOf(101), AROUND + 20);
    const joined = pieces.map((piece) => joiner.take(piece)).at(-1);
    expect(joined).toEqual({ frame: frameOf(20), bytes: 101, isTooLarge: true });
    const next = cut(frameOf(100), AROUND + 20).map((piece) => joiner.take(piece));
    expect(next.at(-1)).toEqual({ frame: frameOf(100), bytes: 100, isTooLarge: false });
  });

  it('that promise much take no memory before it is allowed', () => {
    const joiner = joinerOf(100);
    const promise = Uint8Array.of(...HEAD, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1);
    expect(joiner.take(promise)).toBeUndefined();
    expect(joiner.isOpen).toBe(true);
    expect(joiner.heldBytes).toBe(1);
  });

  it('that promise what is allowed take no more memory than eight times what has come', () => {
    const sizes = fc.record({
      total: fc.integer({ min: 1, max: 5_000 }),
      share: fc.integer({ min: 20, max: 900 }),
    });
    fc.assert(
      fc.property(sizes, ({ total, share }) => {
        const joiner = joinerOf(5_000);
        let came = 0;
        for (const piece of cut(frameOf(total), AROUND + share)) {
          joiner.take(piece);
          came += share;
          expect(joiner.heldBytes).toBeLessThanOrEqual(8 * came);
        }
        expect(joiner.heldBytes).toBe(0);
      }),
    );
  });

  it('of a frame that is dropped leave no memory behind, and the next frame comes whole', () => {
    const joiner = joinerOf(1_000);
    const pieces = cut(frameOf(100), AROUND + 20);
    for (const piece of pieces.slice(0, 3)) joiner.take(piece);
    expect(joiner.drop()).toEqual(frameOf(60));
    expect([joiner.isOpen, joiner.heldBytes, joiner.drop()]).toEqual([false, 0, undefined]);
    expect(pieces.map((piece) => joiner.take(piece)).at(-1)?.frame).toEqual(frameOf(100));
  });

  it('whose bytes are anything are taken or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (tails) => {
        const joiner = joinerOf(64);
        const end = endOf(() => tails.forEach((tail) => joiner.take(Uint8Array.of(...HEAD, ...tail))));
        expect([undefined, MalformedFrame, FrameOutOfOrder]).toContain(end);
      }),
    );
  });
});
