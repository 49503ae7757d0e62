import { expect, it } from 'vitest';
import { StoreDataSourceError } from './errors.js';
import { schemaName } from './options.js';

it('takes any name that Postgres takes', () => {
  expect(schemaName({})).toBe('orchestrator');
  expect(schemaName({ schema: 'Sagas of "Ünits"' })).toBe('Sagas of "Ünits"');
});

it.each(['', 'a\0b', 'ü'.repeat(32)])('refuses %j', (schema) => {
  expect(() => schemaName({ schema })).toThrow(StoreDataSourceError);
});
