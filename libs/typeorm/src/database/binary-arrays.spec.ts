import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { withBinaryArrays } from './binary-arrays.js';

/** What a binary array holds, as Postgres reads it. */
function read(value: unknown): { readonly oid: number; readonly items: readonly (Buffer | null)[] } {
  const bytes = value as Buffer;
  const [dimensions, nulls, oid] = [bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8)];
  if (dimensions === 0) return { oid, items: [] };
  expect(bytes.readInt32BE(16)).toBe(1);
  const items: (Buffer | null)[] = [];
  let at = 20;
  for (let left = bytes.readInt32BE(12); left > 0; left -= 1) {
    const length = bytes.readInt32BE(at);
    items.push(length < 0 ? null : bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  expect(at).toBe(bytes.length);
  expect(nulls).toBe(items.includes(null) ? 1 : 0);
  return { oid, items };
}

it('texts keep every character, and null is no text', () => {
  const texts = ['', 'a"\\{},', 'ä€😀', null];
  const [found] = withBinaryArrays(['text'], [texts]);
  const { oid, items } = read(found);
  expect(oid).toBe(25);
  expect(items.map((item) => item?.toString() ?? null)).toEqual(texts);
});

it('texts of every length and alphabet are the same in UTF-8', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 140 }),
    fc.string({ unit: 'grapheme', maxLength: 140 }),
    fc.integer({ min: 60, max: 70 }).map((length) => 'x'.repeat(length)),
    fc.integer({ min: 60, max: 70 }).map((length) => `${'x'.repeat(length)}ü`),
  );
  fc.assert(
    fc.property(fc.array(fc.option(text)), (texts) => {
      const { items } = read(withBinaryArrays(['text'], [texts])[0]);
      expect(items.map((item) => item?.toString() ?? null)).toEqual(texts);
    }),
  );
});

it('numbers and flags have the width of their type', () => {
  const found = withBinaryArrays(
    ['int', 'float8', 'bool'],
    [
      [1, -2],
      [0.5, Number.POSITIVE_INFINITY],
      [true, false],
    ],
  ).map((value) => read(value).items);
  expect(found[0]?.map((item) => item?.readInt32BE(0))).toEqual([1, -2]);
  expect(found[1]?.map((item) => item?.readDoubleBE(0))).toEqual([0.5, Number.POSITIVE_INFINITY]);
  expect(found[2]?.map((item) => item?.readUInt8(0))).toEqual([1, 0]);
});

it('what is no array stays, and an array may be empty', () => {
  const [now, none, owner] = withBinaryArrays([undefined, 'text', undefined], [null, [], 'node']);
  expect([now, owner]).toEqual([null, 'node']);
  expect(read(none)).toEqual({ oid: 25, items: [] });
});

it('texts that outgrow the room are all there', () => {
  const long = 'ü'.repeat(100_000);
  const [found, next] = withBinaryArrays(['text', 'text'], [['a', long, 'b'], ['c']]);
  expect(read(found).items.map((item) => item?.toString())).toEqual(['a', long, 'b']);
  expect(read(next).items.map((item) => item?.toString())).toEqual(['c']);
});
