import { expect, it } from 'vitest';
import { withClearLanes, type Draft } from './clear-lanes.js';

function row(entry: number, id: string, lane: string | null, delayMs = 0): Draft {
  const record = { tenant: 't', destination: 'd', id, lane, payload: '{}', delayMs };
  return { entry, wake: false, record };
}

function clear(...drafts: readonly Draft[]): readonly boolean[] {
  return withClearLanes(drafts).map((work) => work.clear);
}

it('rows of one entry leave each other’s lane clear, rows of another don’t, for they may lose', () => {
  expect(clear(row(1, 'a', 'l'), row(1, 'b', 'l'), row(2, 'c', 'l'), row(2, 'd', 'm'))).toEqual([
    true,
    true,
    false,
    true,
  ]);
});

it('behind a delayed row nothing of its lane can be dispatched at once', () => {
  expect(clear(row(1, 'a', 'l', 500), row(1, 'b', 'l'), row(1, 'c', null))).toEqual([true, false, true]);
});

it('a delayed row is no obstacle to itself', () => {
  expect(clear(row(1, 'a', 'l'), row(1, 'b', 'l', 500))).toEqual([true, true]);
});

it('a second row of one key is the same work', () => {
  expect(clear(row(1, 'a', null), row(2, 'a', null))).toEqual([true, false]);
});
