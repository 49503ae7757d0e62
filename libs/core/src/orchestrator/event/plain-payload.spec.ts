import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../message/json.js';
import { eventText } from '../cluster/wire/event-text.js';
import { EventPayloadError } from '../errors.js';
import { assertEvent } from './assert-event.js';
import { isPlainPayload } from './plain-payload.js';

/** How many values a payload has, itself not among them. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + valuesIn(item), 0);
}

const plain = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__' && key !== 'toJSON'),
  fc.jsonValue({ maxDepth: 4 }).filter((value) => !/__proto__|toJSON/.test(JSON.stringify(value))),
);

describe('a payload', () => {
  it('is plain where it is what JSON carries, with so many values and not one less', () => {
    fc.assert(
      fc.property(plain, (payload) => {
        const values = valuesIn(payload);
        expect(isPlainPayload(payload, values)).toBe(true);
        expect(isPlainPayload(payload, values - 1)).toBe(false);
        const event = { ...payload, type: 'EVENT' };
        expect(eventText(event, 'machine', 1_000)).toBe(toJson(event, 'event'));
      }),
    );
  });

  class Money {
    constructor(readonly amount: number) {}
  }
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const others: readonly (readonly [string, unknown])[] = [
    ['a Date', new Date(0)],
    ['an instance of a class', new Money(1)],
    ['a function', () => 1],
    ['a bigint', 1n],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a hole in a list', [1, undefined]],
    ['a value that writes itself', { toJSON: () => 1 }],
    ['a key that could reach a prototype', JSON.parse('{"__proto__":{"a":1}}')],
    ['a circle', circle],
  ];

  it.each(others)('with %s is not, and goes no further than it did', (_what, value) => {
    const event = { type: 'EVENT', nested: { value } };
    expect(isPlainPayload(event, 1_000)).toBe(false);
    expect(() => eventText(event, 'machine', 1_000)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/NOT_JSON|EVENT_PAYLOAD/) as string }),
    );
  });

  it('that is too deep or has too many values is refused by the walk that says where', () => {
    let deep: object = {};
    for (let level = 0; level < 70; level += 1) deep = { deep };
    expect(() => assertEvent({ type: 'EVENT', deep }, 'machine', 1_000)).toThrow(EventPayloadError);
    const many = { type: 'EVENT', many: Array.from({ length: 20 }, () => 1) };
    expect(() => assertEvent(many, 'machine', 20)).toThrow(EventPayloadError);
    expect(() => assertEvent(many, 'machine', 22)).not.toThrow();
  });
});
