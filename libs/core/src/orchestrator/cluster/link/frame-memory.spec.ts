import { array, assert, nat, property } from 'fast-check';
import { expect, it } from 'vitest';
import { FrameMemory } from './frame-memory.js';

const MEBI = 1_048_576;

it('Nobody gets a piece that somebody else has, or one that is too small', () => {
  assert(
    property(array(nat(3 * MEBI), { maxLength: 40 }), (steps) => {
      const memory = new FrameMemory();
      const out = new Set<Uint8Array>();
      const found: boolean[] = [];
      for (const step of steps) {
        const [first] = out;
        if (step % 3 === 0 && first !== undefined) {
          out.delete(first);
          memory.giveBack(first);
        } else {
          const piece = memory.take(step);
          found.push(piece.length >= step && !out.has(piece));
          out.add(piece);
        }
      }
      expect(found).not.toContain(false);
    }),
    { numRuns: 30 },
  );
});

it('A piece is used again, also for a frame that is smaller', () => {
  const memory = new FrameMemory();
  const large = memory.take(300_000);
  memory.giveBack(large);
  expect(memory.take(100)).toBe(large);
  expect(memory.take(100)).not.toBe(large);
});

it('Keeps at most four pieces, the larger ones, and none above a mebibyte', () => {
  const memory = new FrameMemory();
  memory.giveBack(new Uint8Array(2 * MEBI));
  for (const bytes of [65_536, 131_072, 65_536, 262_144, MEBI]) memory.giveBack(new Uint8Array(bytes));
  const kept = [MEBI, 262_144, 131_072, 65_536].map((bytes) => memory.take(bytes).length);
  expect(kept).toEqual([MEBI, 262_144, 131_072, 65_536]);
  memory.giveBack(new Uint8Array(MEBI).fill(1));
  expect(memory.take(1)[0]).toBe(1);
  // Nothing is left but what is new.
  expect(memory.take(1)).toEqual(new Uint8Array(65_536));
});
