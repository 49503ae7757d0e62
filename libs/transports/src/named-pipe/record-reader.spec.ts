import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordReader } from './record-reader.js';
import { HEAD_BYTES, kinds, record, writeHead, type Kind } from './records.js';

interface Read {
  readonly kind: number;
  readonly number: number;
  readonly body: readonly number[];
}

function numbered(kind: Kind, number: number, body: readonly number[]): Uint8Array {
  const bytes = record(kind, Uint8Array.from(body));
  writeHead(bytes, 0, kind, body.length, number);
  return bytes;
}

/** Reads the bytes in pieces of the given lengths, and the rest at once. */
function readIn(pieces: readonly number[], bytes: Uint8Array, limit = 1_000): Read[] | 'nonsense' {
  const found: Read[] = [];
  const reader = new RecordReader(limit, (kind, number, body) => {
    found.push({ kind, number, body: [...body] });
    return true;
  });
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    if (!reader.read(bytes.subarray(at, at + length))) return 'nonsense';
    at = Math.min(bytes.length, at + length);
  }
  return found;
}

describe('a stream of records', () => {
  it('is read the same, however it is cut', () => {
    const written = fc.array(
      fc.record({
        kind: fc.constantFrom(...Object.values(kinds)),
        number: fc.integer({ min: 0, max: 0xff_ff_ff_ff }),
        body: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(written, fc.array(fc.integer({ min: 0, max: 30 })), (records, pieces) => {
        const bytes = Buffer.concat(records.map(({ kind, number, body }) => numbered(kind, number, body)));
        expect(readIn(pieces, bytes)).toEqual(records);
      }),
    );
  });

  it('ends at a length above the limit, before memory is taken for it', () => {
    const head = new Uint8Array(HEAD_BYTES);
    writeHead(head, 0, kinds.frame, 1_001, 1);
    expect(readIn([], head)).toBe('nonsense');
    expect(readIn([3], head)).toBe('nonsense');
  });

  it('is any bytes at all without harm', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 0, max: 50 })),
        (bytes, pieces) => {
          const found = readIn(pieces, bytes);
          const lengths = found === 'nonsense' ? [] : found.map(({ body }) => body.length + HEAD_BYTES);
          expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(bytes.length);
        },
      ),
    );
  });
});
