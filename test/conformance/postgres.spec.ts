import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { migrate, typeormStore } from '@nestjs-orchestrator/typeorm';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { dataSourceOf } from '../typeorm/support.js';

let database: TestDatabase;
let first: DataSource;
let second: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  first = dataSourceOf(database.url);
  second = dataSourceOf(database.url);
  await Promise.all([first.initialize(), second.initialize()]);
});

afterAll(async () => {
  await Promise.all([first.destroy(), second.destroy()]);
  await database.drop();
});

const cases = instanceStoreConformance({
  async createStore() {
    // A schema for each case would test other statements than the default one's; dropping costs less than a database.
    await first.query('DROP SCHEMA IF EXISTS orchestrator CASCADE');
    await migrate(first);
    return { store: typeormStore(first), secondStore: typeormStore(second), async close() {} };
  },
});

describe('typeormStore', () => {
  it.each(cases)('$name', async (sentence) => {
    await expect(sentence.run()).resolves.toBeUndefined();
  });
});
