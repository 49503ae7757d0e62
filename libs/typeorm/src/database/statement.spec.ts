import { expect, it } from 'vitest';
import { bound, columns, inSchema, statement } from './statement.js';

it('one text has one name, another text another', () => {
  const one = statement('load', 'SELECT 1', 'orchestrator');
  expect(statement('load', 'SELECT 1', 'orchestrator')).toBe(one);
  expect(statement('load', 'SELECT 2', 'orchestrator').name).not.toBe(one.name);
  expect(one.name).toMatch(/^orchestrator_load_[0-9a-f]{12}$/);
});

it('a schema’s name is quoted wherever a table is named', () => {
  expect(inSchema('SELECT FROM orchestrator.inbox, orchestrator.outbox', 'a"$&')).toBe(
    'SELECT FROM "a""$&".inbox, "a""$&".outbox',
  );
});

it('rows become one array per field', () => {
  const rows = [
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
  ];
  const found = columns(
    rows,
    ({ a }) => a,
    ({ b }) => b,
  );
  expect(found).toEqual([
    [1, 2],
    ['x', 'y'],
  ]);
});

it('arrays are sent in the form of the type that the statement casts them to', () => {
  const { values } = bound(statement('x', 'SELECT unnest($2::int[]), $1::text', 'orchestrator'), ['a', [7]]);
  expect(values[0]).toBe('a');
  expect((values[1] as Buffer).readInt32BE(24)).toBe(7);
});
