import type { Commit } from '@nestjs-orchestrator/core/ports';
import { expect, it } from 'vitest';
import { commitParameters } from './commit-parameters.js';
import { commitSql } from './commit.sql.js';

const OPTIONS = { now: 5, owner: 'node-a', leaseMs: 1_000 };

function entry(id: string, fields: Partial<Commit> = {}): Commit {
  return {
    ref: { tenant: 't', saga: 's', id },
    expectedVersion: 0,
    lease: null,
    supersedes: null,
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
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
    ...fields,
  };
}

it('there is one parameter for each placeholder of the statement', () => {
  const placeholders = [...commitSql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number));
  expect(commitParameters([entry('i-1')], OPTIONS)).toHaveLength(Math.max(...placeholders));
});

it('the arrays of one row set are of one length', () => {
  const key = { name: 'orderId', value: 'k' };
  const parameters = commitParameters([entry('i-1', { keys: [key, key] }), entry('i-2')], OPTIONS);
  expect(parameters.slice(3, 19).map((column) => (column as unknown[]).length)).toEqual(Array(16).fill(2));
  expect(parameters.slice(19, 22)).toEqual([[1], ['orderId'], ['k']]);
});

it('of a timer armed twice the last counts', () => {
  const timer = { tenant: 't', saga: 's', id: 'i-1', name: 'x', delayMs: 1, payload: '{}' };
  const arm = [
    { ...timer, token: 'old' },
    { ...timer, token: 'new' },
  ];
  const parameters = commitParameters([entry('i-1', { timers: { arm, disarm: [] } })], OPTIONS);
  expect(parameters.slice(24, 27)).toEqual([[1], ['x'], ['new']]);
});
