import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotJsonError, parseJson, PayloadTooLargeError, toJson } from './json.js';

/** `__proto__` is refused; see below. */
const isSafe = (value: unknown): boolean => !JSON.stringify(value).includes('__proto__');

describe('toJson', () => {
  it('carries every JSON value unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue().filter(isSafe), (value) => {
        expect(parseJson(toJson(value, 'value'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each([
    ['a __proto__ key', JSON.parse('{"a":{"__proto__":{}}}'), 'data.a.__proto__'],
    ['a Date', { at: new Date(0) }, 'data.at'],
    ['a Map', { m: new Map() }, 'data.m'],
    ['a bigint', { items: [1n] }, 'data.items[0]'],
    ['a function', { f: () => 1 }, 'data.f'],
    ['NaN', { n: Number.NaN }, 'data.n'],
    ['an infinity', { n: Infinity }, 'data.n'],
    ['a class instance', { e: new Error('x') }, 'data.e'],
    ['undefined in an array', { a: [undefined] }, 'data.a[0]'],
    ['a hole in an array', { a: [1, , 2] }, 'data.a[1]'], // oxlint-disable-line no-sparse-arrays -- that is the case
    ['a cycle', cycle, 'data.self'],
    ['an object that would convert itself', { o: { toJSON: () => 1 } }, 'data.o'],
  ])('refuses %s and says where it stands', (_what, value, path) => {
    let error: unknown;
    try {
      toJson(value, 'data');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(NotJsonError);
    expect(error).toMatchObject({ code: 'NOT_JSON', path, retryable: false });
  });

  it('leaves properties that are undefined out, as optional fields are', () => {
    expect(toJson({ a: undefined, b: 1 }, 'data')).toBe('{"b":1}');
  });

  it('carries the same object twice, which is no cycle', () => {
    const shared = { x: 1 };
    expect(toJson([shared, shared], 'data')).toBe('[{"x":1},{"x":1}]');
  });

  it('refuses a text over its limit', () => {
    expect(() => toJson('x'.repeat(10), 'body', 11)).toThrow(PayloadTooLargeError);
    expect(toJson('x'.repeat(10), 'body', 12)).toHaveLength(12);
  });
});

describe('parseJson', () => {
  it('leaves __proto__ keys out, at any depth', () => {
    const value = parseJson('{"a":{"__proto__":{"admin":true}},"__proto__":{"admin":true}}') as { a: object };
    expect(Object.keys(value)).toEqual(['a']);
    expect(Object.keys(value.a)).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each(['\\u005f_proto__', '__pr\\u006fto__', '\\u005F\\u005fproto__'])(
    'leaves them out where they are written as %s',
    (key) => {
      const value = parseJson(`{"a":1,"${key}":{"admin":true}}`) as object;
      expect(Object.keys(value)).toEqual(['a']);
    },
  );
});
