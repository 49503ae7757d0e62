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
