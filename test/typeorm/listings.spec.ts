import type { InstanceFilter } from '@nestjs-orchestrator/core/ports';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import {
  AT,
  by,
  entry,
  inbox,
  key,
  oneConnection,
  ref,
  SAGA,
  state,
  TENANT,
  undisturbed,
} from './support.js';

/** One connection, so that its prepared statements are all there are. */
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let source: ReturnType<typeof oneConnection>;
let store: ReturnType<typeof typeormStore>;

/** So many that reading all of them would be dear to the planner. */
const MANY = 30_000;

const COPIES = `
WITH copied AS (
  INSERT INTO orchestrator.instance (tenant, saga, id, version, definition_version, state, status, data, machine, undo, ended, created_at, updated_at)
  SELECT tenant, saga, 'copy-' || n, 1, 1, 'open', status, data, machine, undo, false, created_at + n, created_at + n
  FROM orchestrator.instance, generate_series(1, $1::int) n WHERE id = 'one'
  RETURNING tenant, saga, state, created_at, seq, id
), listed AS (
  INSERT INTO orchestrator.instance_state (tenant, saga, state, created_at, seq, instance_id)
  SELECT tenant, saga, state, created_at, seq, id FROM copied
)
INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id)
SELECT tenant, saga, 'orderId', id, id FROM copied`;

beforeAll(async () => {
  database = await createTestDatabase();
  source = await oneConnection(database.url).initialize();
  store = typeormStore(source);
  await store.start();
  await undisturbed(source);
  await store.commit([entry('one', 0, { keys: [key('one')] })], by());
  await source.query(COPIES, [MANY]);
  await store.commit([entry('rare', 0, { next: state({ state: 'stuck' }) })], by());
  await source.query('ANALYZE orchestrator.instance, orchestrator.instance_state, orchestrator.instance_key');
});

afterAll(async () => {
  await store.close();
  await source.destroy();
  await database.drop();
});

function list(filter: Partial<InstanceFilter>) {
  return store.query({ tenant: TENANT, saga: SAGA, order: 'oldest', ...filter }, AT);
}

/** How a prepared statement is executed with any values, and where it begins to read. */
async function planOf(operation: string): Promise<string> {
  const [row] = await source.query<{ statement: string }[]>(
    `SELECT statement FROM pg_prepared_statements WHERE name ~ $1`,
    [`^orchestrator_${operation}_[0-9a-f]+$`],
  );
  const lines = await source.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (GENERIC_PLAN) ${row?.statement}`);
  return lines.map((line) => line['QUERY PLAN']).join('\n');
}

it.each([
  ['oldest', ''],
  ['newest', ' Backward'],
] as const)('instances in a state are found by an index, in order, %s first', async (order, backward) => {
  expect((await list({ states: ['stuck'], order })).items.map(({ id }) => id)).toEqual(['rare']);
  const plan = await planOf(`query_${order}_state`);
  expect(plan).toContain(`Index Scan${backward} using instance_state_pkey on instance_state p`);
  expect(plan).toMatch(/Index Cond: \(\(p?\.?state = .*saga = .*tenant = .*ROW\(.*created_at, .*seq\)/);
  expect(plan).not.toContain('Seq Scan on instance');
});

it('instances that nothing has happened to are found by an index that leaves out younger ones', async () => {
  await list({ idleMs: 3_600_000 });
  const plan = await planOf('query_oldest_idle');
  expect(plan).toContain('using instance_alive on instance t');
  expect(plan).toMatch(/Index Cond: .*created_at <= .*ROW\(/);
  expect(plan).not.toContain('Seq Scan on instance');
});

it('a page of all begins by the index where the one before it ended', async () => {
  const first = await list({ limit: 2 });
  const second = await list({ limit: 2, cursor: first.next ?? '' });
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([
    'one',
    'copy-1',
    'copy-2',
    'copy-3',
  ]);
  const plan = await planOf('query_oldest_all');
  expect(plan).toContain('using instance_created on instance t');
  expect(plan).toMatch(/Index Cond: .*ROW\(/);
});

it('an instance is found by its key through the index of keys, and that of instances', async () => {
  const by = { key: key('copy-17') };
  const [found] = await store.load([{ tenant: TENANT, saga: SAGA, by, messageId: 'm-1' }], AT);
  expect(found?.instance?.id).toBe('copy-17');
  const plan = await planOf('load');
  expect(plan).toContain('using instance_key_pkey on instance_key k');
  expect(plan).toContain('using instance_pkey on instance t');
  expect(plan).not.toContain('Seq Scan on instance');
});

it('an instance is listed in the state that it is in, through changes, a lost race, and its end', async () => {
  const inState = async (name: string) => (await list({ states: [name] })).items.map(({ id }) => id);
  const rows = async (): Promise<unknown> =>
    source.query(`SELECT state FROM orchestrator.instance_state WHERE instance_id = 'moving'`);
  const change = (version: number, next: string, ended = false) =>
    store.commit(
      [
        entry('moving', version, {
          next: state({ state: next, ended }),
          inbox: inbox(`m-${version}-${next}`),
        }),
      ],
      by(),
    );
  await change(0, 'paying');
  expect(await inState('paying')).toEqual(['moving']);
  await change(1, 'paying');
  await change(2, 'shipping');
  expect([await inState('paying'), await inState('shipping')]).toEqual([[], ['moving']]);
  expect(await change(2, 'paying')).toMatchObject([{ outcome: 'conflict' }]);
  expect([await inState('paying'), await inState('shipping')]).toEqual([[], ['moving']]);
  await change(3, 'done', true);
  expect([await inState('shipping'), await inState('done')]).toEqual([[], ['moving']]);
  expect(await rows()).toEqual([{ state: 'done' }]);
  await store.remove({ ref: ref('moving'), expectedVersion: 4, archive: false, now: null });
  expect(await rows()).toEqual([]);
});

/** Updates of instances so far, those of them that wrote no index, and rows of the list by state. */
async function updates() {
  await source.query('SELECT pg_stat_force_next_flush()');
  const [row] = await source.query<{ all: number; hot: number; listed: number }[]>(
    `SELECT a.n_tup_upd::int AS all, a.n_tup_hot_upd::int AS hot, b.n_tup_ins::int AS listed
     FROM pg_stat_user_tables a, pg_stat_user_tables b WHERE a.relname = 'instance' AND b.relname = 'instance_state'`,
  );
  return row ?? { all: 0, hot: 0, listed: 0 };
}

it('new instances that are changed together leave room for each other: their indexes stay as they are', async () => {
  const ids = Array.from({ length: 200 }, (_, n) => `batch-${n}`);
  const next = state({ data: JSON.stringify({ text: 'x'.repeat(100) }), machine: 'y'.repeat(100) });
  await store.commit(
    ids.map((id) => entry(id, 0, { next })),
    by(),
  );
  const before = await updates();
  await store.commit(
    ids.map((id) => entry(id, 1, { next })),
    by(),
  );
  const after = await updates();
  expect([after.all - before.all, after.hot - before.hot]).toEqual([200, 200]);
});

it('a commit that changes no state changes no index', async () => {
  const before = await updates();
  for (let version = 1; version <= 5; version += 1)
    await store.commit([entry('rare', version, { next: state({ state: 'stuck' }) })], by());
  const after = await updates();
  expect({
    all: after.all - before.all,
    hot: after.hot - before.hot,
    listed: after.listed - before.listed,
  }).toEqual({
    all: 5,
    hot: 5,
    listed: 0,
  });
});
