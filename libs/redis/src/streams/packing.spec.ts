import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pack, packedSize, unpack } from './packing.js';

const frame = fc.record({ name: fc.string({ unit: 'grapheme' }), bytes: fc.uint8Array() });

it('frames come out as they went in, in order, and take the room that was foretold', () => {
  fc.assert(
    fc.property(fc.array(frame), (frames) => {
      const packed = pack(frames);
      const found = unpack(packed).map(({ name, bytes }) => ({ name, bytes: new Uint8Array(bytes) }));
      expect(found).toEqual(frames);
      expect(packed.length).toBe(frames.reduce((sum, each) => sum + packedSize(each), 0));
    }),
  );
});
