import { array, assert, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { encode, joined, keyOf } from './encode.js';

const text = string({ unit: 'grapheme' });
const parts = array(text, { minLength: 2, maxLength: 2 });

it('different texts have different names, whatever they hold', () => {
  assert(
    property(parts, parts, (a, b) => {
      const same = a.every((part, n) => part === b[n]);
      expect(joined(...a) === joined(...b)).toBe(same);
    }),
  );
  expect(joined('a', 'b/c')).not.toBe(joined('a/b', 'c'));
});

it('a name holds nothing that separates names, and no braces, which would decide about a slot', () => {
  assert(
    property(text, (value) => {
      expect(encode(value)).toMatch(/^[^/:{}\s]*$/);
    }),
  );
  expect(encode('{acme}/a:b')).toBe('%7Bacme%7D%2Fa%3Ab');
});

it('a key is told from its name', () => {
  assert(
    property(text, text, (name, value) => {
      expect(keyOf(joined(name, value))).toEqual({ name, value });
    }),
  );
  expect(keyOf('order%20id/a%2Fb')).toEqual({ name: 'order id', value: 'a/b' });
});

it('a text that is no Unicode is refused', () => {
  expect(() => encode('\ud800')).toThrow(URIError);
});
