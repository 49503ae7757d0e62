import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashedId } from './hashed-id.js';

describe('hashedId', () => {
  it('is a version 8 UUID that depends on its parts only', () => {
    expect(hashedId('a', 'b')).toBe(hashedId('a', 'b'));
    expect(hashedId('a', 'b')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('is the beginning of SHA-256, whatever was hashed before, and however long it is', () => {
    const reference = (...parts: string[]) => {
      const text = parts.map((part) => `${part.length}:${part}`).join('');
      return bytesToHex(sha256(utf8ToBytes(text)));
    };
    for (const parts of [['a'], ['ü'.repeat(5_000), 'b'], ['a'], [], ['x'.repeat(55)], ['\ud800']]) {
      const id = hashedId(...parts).replaceAll('-', '');
      const expected = reference(...parts);
      expect(id.slice(0, 12)).toBe(expected.slice(0, 12));
      expect(id.slice(13, 16)).toBe(expected.slice(13, 16));
      expect(id.slice(17)).toBe(expected.slice(17, 32));
    }
  });

  it('tells every two different lists of parts apart, however they are cut', () => {
    expect(hashedId('ab', 'c')).not.toBe(hashedId('a', 'bc'));
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
        const same = one.length === other.length && one.every((part, i) => part === other[i]);
        expect(hashedId(...one) === hashedId(...other)).toBe(same);
      }),
    );
  });
});
