import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { by, entry, inbox, key, oneConnection, SAGA, TENANT, undisturbed, work } from './support.js';

/** One connection, so that its plans tell of all statements. */
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let source: ReturnType<typeof oneConnection>;
let store: ReturnType<typeof typeormStore>;

beforeAll(async () => {
  database = await createTestDatabase();
  source = await oneConnection(database.url).initialize();
  store = typeormStore(source);
  await store.start();
  await undisturbed(source);
});

afterAll(async () => {
  await store.close();
  await source.destroy();
  await database.drop();
});

async function plansOf(operation: string) {
  const [row] = await source.query<{ custom: number; generic: number }[]>(
    `SELECT sum(custom_plans)::int AS custom, sum(generic_plans)::int AS generic FROM pg_prepared_statements WHERE name LIKE $1`,
    [`orchestrator_${operation}_%`],
  );
  return row;
}

/** How the statements are executed that were prepared while all tables were empty. */
async function plansFor(operation: string): Promise<readonly string[]> {
  const rows = await source.query<{ statement: string }[]>(
    `SELECT statement FROM pg_prepared_statements WHERE name LIKE $1`,
    [`orchestrator_${operation}_%`],
  );
  const plans: string[] = [];
  for (const { statement } of rows) {
    const lines = await source.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (GENERIC_PLAN) ${statement}`);
    plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
  }
  return plans;
}

it('a commit of one entry is planned once, for all values', async () => {
  for (let version = 0; version < 20; version += 1) {
    const more = { work: version % 2 === 0 ? [] : [work(`one-${version}`)] };
    await store.commit(
      [entry('one', version, { inbox: inbox(`m-${version}`), ifUnseen: true, ...more })],
      by(),
    );
  }
  expect(await plansOf('commit')).toEqual({ custom: 0, generic: 20 });
});

it('nor is new work, or the end of some', async () => {
  for (let n = 0; n < 20; n += 1) {
    const row = work(`w-${n}`);
    await store.enqueue([row], by());
    await store.finish([{ message: row, outcome: 'handled', work: [] }], by());
  }
  expect(await plansOf('enqueue')).toEqual({ custom: 0, generic: 20 });
  expect(await plansOf('finish')).toEqual({ custom: 0, generic: 20 });
});

it('statements of the application on the same connection are planned as it wants', async () => {
  await store.enqueue([work('w-before')], by());
  expect(await source.query('SHOW plan_cache_mode')).toEqual([{ plan_cache_mode: 'auto' }]);
});

it('no table is read as a whole, though all were empty when the plans were made', async () => {
  await store.completeWork([work('w-0')]);
  await store.renewWork([work('w-0')], by());
  const waiting = { messageId: 'm-1', payload: '{}', ttlMs: 1_000 };
  await store.park(
    [{ tenant: TENANT, saga: SAGA, key: key('k'), delivery: waiting, done: [work('w-0')] }],
    by(),
  );
  const operations = ['commit', 'enqueue', 'finish', 'complete_work', 'renew_work', 'park'];
  const found = await Promise.all(operations.map(async (name) => ({ name, plans: await plansFor(name) })));
  for (const { name, plans } of found) {
    for (const plan of plans) {
      expect(plan).toContain('Index');
      expect(`${name}: ${/Seq Scan on \w+/.exec(plan)?.[0] ?? 'by index'}`).toBe(`${name}: by index`);
    }
  }
  // A new instance, one that goes on, and one that goes on with work.
  expect(found.map(({ plans }) => plans.length)).toEqual([3, 1, 1, 1, 1, 1]);
});
