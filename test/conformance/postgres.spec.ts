import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { migrate, typeormStore } from '@nestjs-orchestrator/typeorm';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { dataSourceOf } from '../typeorm/support.js';

let database: TestDatabase;
let first: DataSource;
let second: DataSource;

/** Deleting a few rows is much quicker than a database, a schema or a TRUNCATE per case. */
const EMPTY = `
CREATE FUNCTION empty_orchestrator() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'orchestrator' AND tablename <> 'migration' LOOP
    EXECUTE format('DELETE FROM orchestrator.%I', name);
  END LOOP;
END $$`;

beforeAll(async () => {
  database = await createTestDatabase();
  first = dataSourceOf(database.url);
  second = dataSourceOf(database.url);
  await Promise.all([first.initialize(), second.initialize()]);
  await migrate(first);
  await first.query(EMPTY);
});

afterAll(async () => {
  await Promise.all([first.destroy(), second.destroy()]);
  await database.drop();
});

const cases = instanceStoreConformance({
  async createStore() {
    await first.query('SELECT empty_orchestrator()');
    return { store: typeormStore(first), secondStore: typeormStore(second), async close() {} };
  },
});

describe('typeormStore', () => {
  it.each(cases)('$name', async (sentence) => {
    await expect(sentence.run()).resolves.toBeUndefined();
  });
});
