import { Client } from 'pg';
import { expect, inject, it } from 'vitest';
import { createTestDatabase } from './database.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

it('what one test database holds, another does not see', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await query(one.url, 'CREATE TABLE things (id int)');
  expect(await query(other.url, "SELECT to_regclass('things') AS found")).toEqual([{ found: null }]);
  await Promise.all([one.drop(), other.drop()]);
});

it('a dropped test database is gone, also while a session is open in it', async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await database.drop();
  const sql = `SELECT datname FROM pg_database WHERE datname = '${database.name}'`;
  expect(await query(inject('postgres').adminUrl, sql)).toEqual([]);
});
