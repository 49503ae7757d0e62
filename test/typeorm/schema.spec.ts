import { StoreSchemaError } from '@nestjs-orchestrator/core';
import { migrate, StoreDataSourceError, typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource, EntitySchema } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { by, dataSourceOf, entry, key } from './support.js';

let database: TestDatabase;
const sources: DataSource[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const source of sources.splice(0)) await source.destroy();
  await database.drop();
});

async function connected(options: Parameters<typeof dataSourceOf>[1] = {}): Promise<DataSource> {
  const source = await dataSourceOf(database.url, options).initialize();
  sources.push(source);
  return source;
}

it('nodes that start together migrate once', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(() => connected()));
  await Promise.all(all.map((source) => migrate(source)));
  const rows: unknown = await all[0]?.query('SELECT version FROM orchestrator.migration');
  expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7].map((version) => ({ version })));
});

it('a schema newer than the code is refused, by start() and by migrate()', async () => {
  const source = await connected();
  await migrate(source);
  await source.query(`INSERT INTO orchestrator.migration (version, name) VALUES (99, 'future')`);
  const refusal = { name: 'StoreSchemaError', found: 99 };
  await expect(typeormStore(source).start()).rejects.toMatchObject(refusal);
  await expect(typeormStore(source, { migrations: 'check' }).start()).rejects.toMatchObject(refusal);
  await expect(migrate(source)).rejects.toBeInstanceOf(StoreSchemaError);
});

it('with `check`, a missing schema is named and not made', async () => {
  const source = await connected();
  const store = typeormStore(source, { migrations: 'check' });
  await expect(store.start()).rejects.toMatchObject({ found: 0, known: 7 });
  await migrate(source);
  await store.start();
  await store.close();
});

it('two stores in schemas of their own share a pool and no data', async () => {
  const source = await connected();
  const stores = ['orchestrator', 'it"s another'].map((schema) => typeormStore(source, { schema }));
  for (const store of stores) {
    await store.start();
    expect(await store.commit([entry('i-1', 0, { keys: [key('k-1')] })], by())).toMatchObject([
      { outcome: 'committed' },
    ]);
    await store.close();
  }
});

it('`synchronize` of the application leaves the store’s tables alone', async () => {
  const store = typeormStore(await connected());
  await store.start();
  await store.commit([entry('i-1', 0)], by());
  const Order = new EntitySchema<{ id: string }>({
    name: 'order',
    columns: { id: { type: 'text', primary: true } },
  });
  const application = await connected({ synchronize: true, entities: [Order] });
  await application.synchronize();
  const rows: unknown = await application.query('SELECT id FROM orchestrator.instance');
  expect(rows).toEqual([{ id: 'i-1' }]);
  expect(await application.getRepository(Order).count()).toBe(0);
  await store.close();
});

it('a DataSource that is not initialised is said so by start()', async () => {
  const start = typeormStore(dataSourceOf(database.url)).start();
  await expect(start).rejects.toThrow('await `dataSource.initialize()`');
});

it('a DataSource of another database is refused at construction', () => {
  const source = new DataSource({ type: 'postgres', url: database.url });
  Object.assign(source, { options: { type: 'mysql' } });
  expect(() => typeormStore(source)).toThrow(StoreDataSourceError);
  expect(() => typeormStore(dataSourceOf(database.url), { schema: '' })).toThrow(StoreDataSourceError);
});
