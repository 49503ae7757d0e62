import type { Commit } from '@nestjs-orchestrator/core/ports';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { commitParameters } from './commit-parameters.js';
import { commitShapes } from './commit-shapes.js';

const OPTIONS = { now: 5, owner: 'node-a', leaseMs: 1_000 };
const REF = { tenant: 't', saga: 's', id: 'i-1' };
const ROW = { tenant: 't', destination: 'd', id: 'r-1' };
const WORK = { ...ROW, lane: null, payload: '{}', delayMs: 0 };
const LINE = { kind: 'event', name: 'Paid', messageId: 'm-1', from: 'a', to: 'a', detail: null };
const INBOX = { messageId: 'm-1', outcome: 'applied', reply: null };

/** A message that moves an instance which is there, and nothing else. */
const PLAIN: Commit = {
  ref: REF,
  expectedVersion: 3,
  lease: null,
  supersedes: null,
  ifUnseen: true,
  next: {
    definitionVersion: 1,
    state: 'a',
    status: 'running',
    data: '{}',
    machine: '{}',
    undo: '[]',
    hold: null,
    ended: false,
  },
  keys: [],
  inbox: INBOX,
  work: [],
  timers: { arm: [], disarm: [] },
  history: [LINE],
  deliveries: { add: [], done: [] },
  wakeIfParked: null,
  done: [ROW],
};

/** What a commit may have besides, and which statement it then takes. */
const MORE: readonly (readonly [what: string, fields: Partial<Commit>, shape: number])[] = [
  ['a lease', { lease: 'token' }, 0],
  ['a hold', { next: { ...PLAIN.next, status: 'held', hold: '{}' } }, 0],
  ['no message', { inbox: null, history: [], done: [] }, 0],
  ['work', { work: [WORK] }, 1],
  [
    'a timer to arm',
    { timers: { arm: [{ ...REF, name: 'x', token: 't', delayMs: 1, payload: '{}' }], disarm: [] } },
    1,
  ],
  ['a timer to disarm', { timers: { arm: [], disarm: ['x'] } }, 1],
  ['an answer', { consumed: [{ message: ROW, outcome: 'handled' }] }, 1],
  ['an instance that is new', { expectedVersion: 0 }, 2],
  ['a key', { keys: [{ name: 'k', value: 'v' }] }, 2],
  ['a key of many', { keys: [{ name: 'k', value: 'v', many: true }] }, 2],
  ['a key, and somebody to wake', { keys: [{ name: 'k', value: 'v' }], wakeIfParked: WORK }, 2],
  ['a load', { ifUnseen: false }, 2],
  ['a second line of history', { history: [LINE, { ...LINE, kind: 'undo' }] }, 2],
  ['messages before it', { inboxBefore: [{ ...INBOX, messageId: 'm-0' }] }, 2],
  ['a delivery', { deliveries: { add: [{ messageId: 'm-1', payload: '{}', ttlMs: 5 }], done: [] } }, 2],
  ['a delivery that is done', { deliveries: { add: [], done: ['m-1'] } }, 2],
];

function shapeOf(...commits: readonly Commit[]): number {
  const values = commitParameters(commits, OPTIONS);
  return commitShapes.findIndex(({ fits }) => fits(values));
}

it('a message that moves an instance which is there takes the smallest statement', () => {
  expect(shapeOf(PLAIN)).toBe(0);
  expect(shapeOf(PLAIN, PLAIN)).toBe(0);
});

it.each(MORE)('%s is done by a statement that does it', (_what, fields, shape) => {
  const commit = { ...PLAIN, ...fields };
  expect(shapeOf(commit)).toBe(shape);
  expect(shapeOf(PLAIN, commit, PLAIN)).toBe(shape);
});

it('a statement that leaves something out has nothing to do there', () => {
  const all = fc.subarray([...MORE.keys()]);
  fc.assert(
    fc.property(fc.array(all, { minLength: 1, maxLength: 4 }), (entries) => {
      const commits = entries.map((more) => {
        const fields: Partial<Commit>[] = more.map((n) => MORE[n]?.[1] ?? {});
        return Object.assign({}, PLAIN, ...fields) as Commit;
      });
      const values = commitParameters(commits, OPTIONS);
      const { uses } = commitShapes[shapeOf(...commits)] as (typeof commitShapes)[number];
      const left = values.filter((value, index) => Array.isArray(value) && !uses.includes(index + 1));
      for (const column of left as unknown[][]) expect(column.filter((value) => value !== null)).toEqual([]);
    }),
  );
});

it('each statement numbers its parameters from 1 on, and has no mark left', () => {
  for (const { sql, uses } of commitShapes) {
    const numbers = new Set([...sql.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
    expect([...numbers].toSorted((a, b) => a - b)).toEqual(uses.map((_, index) => index + 1));
    expect(sql).not.toContain('/*');
  }
  expect(commitShapes.at(-1)?.uses).toHaveLength(commitParameters([PLAIN], OPTIONS).length);
});
