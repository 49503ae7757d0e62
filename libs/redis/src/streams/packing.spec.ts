import { array, assert, property, record, string, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { pack, packedSize, unpack } from './packing.js';

const frame = record({ name: string({ unit: 'grapheme' }), bytes: uint8Array() });

it('frames come out as they went in, in order, and take the room that was foretold', () => {
  assert(
    property(array(frame), (frames) => {
      const packed = pack(frames);
      const found = unpack(packed).map(({ name, bytes }) => ({ name, bytes: new Uint8Array(bytes) }));
      expect(found).toEqual(frames);
      expect(packed.length).toBe(frames.reduce((sum, each) => sum + packedSize(each), 0));
    }),
  );
});
