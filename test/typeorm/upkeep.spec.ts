import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { AT, by, oneConnection, SAGA, TENANT, undisturbed } from './support.js';

/** One connection, so that its figures are told when it is asked for them. */
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let source: ReturnType<typeof oneConnection>;
let store: ReturnType<typeof typeormStore>;

/** So few that to read a whole table looks cheap beside as many look-ups as there are rows to be forgotten. */
const MANY = 20_000;
const LIMIT = 1_000;

const ROWS: readonly string[] = [
  `INSERT INTO orchestrator.instance (tenant, saga, id, version, definition_version, state, status, data, machine, undo, ended, created_at, updated_at, ended_at)
   SELECT '${TENANT}', '${SAGA}', 'i-' || n, 1, 1, 'done', 'completed', '{}', '{}', '[]', true, n, n, n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.inbox (tenant, saga, instance_id, message_id, outcome, at)
   SELECT '${TENANT}', '${SAGA}', 'i-' || n, 'm-' || n, 'applied', n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.consumed (tenant, destination, message_id, outcome, at)
   SELECT '${TENANT}', 'handler:Pay', 'm-' || n, 'handled', n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, attempts, at, verdict, settled_by, settled_reason, settled_at)
   SELECT '${TENANT}', 'handler:Pay', 'm-' || n, '{}', 'Error: no', 10, n, 'discarded', 'ada', '', n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.tombstone (tenant, saga, name, value, instance_id, start_id, at)
   SELECT '${TENANT}', '${SAGA}', 'orderId', 'gone-' || n, 'g-' || n, 'm-' || n, n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id, parked)
   SELECT '${TENANT}', '${SAGA}', 'orderId', 'k-' || n, NULL, 1 + n % 2 FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.timer (tenant, saga, instance_id, name, token, delay_ms, payload, due_at, claimable_at)
   SELECT '${TENANT}', '${SAGA}', 'i-' || n, 'timeout', 't', 1, '{}', n, n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.outbox (tenant, destination, id, lane, payload, delay_ms, claimable_at, attempts)
   SELECT '${TENANT}', 'handler:Pay', 'w-' || n, CASE WHEN n % 2 = 0 THEN 'l-' || n END, '{}', 0, n, 0 FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.delivery (tenant, saga, key_name, key_value, message_id, payload, ttl_ms, expires_at)
   SELECT '${TENANT}', '${SAGA}', 'orderId', 'k-' || n, 'd-' || n, '{}', 1, n FROM generate_series(1, $1::int) n`,
];

beforeAll(async () => {
  database = await createTestDatabase();
  source = await oneConnection(database.url).initialize();
  store = typeormStore(source);
  await store.start();
  await undisturbed(source);
  for (const rows of ROWS) await source.query(rows, [MANY]);
  await source.query('VACUUM ANALYZE');
});

afterAll(async () => {
  await store.close();
  await source.destroy();
  await database.drop();
});

/** Rows that the server has looked at so far, through an index or without. */
async function read(): Promise<Readonly<Record<string, number>>> {
  await source.query('SELECT pg_stat_force_next_flush()');
  const rows = await source.query<{ relname: string; read: number }[]>(
    `SELECT relname, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_user_tables WHERE schemaname = 'orchestrator'`,
  );
  return Object.fromEntries(rows.map((row) => [row.relname, row.read]));
}

/** Tables of which more rows were looked at than what was forgotten explains. */
async function readMuch(forgotten: number, act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await read();
  await act();
  const after = await read();
  return Object.entries(after).flatMap(([table, all]) =>
    all - (before[table] ?? 0) > 4 * forgotten ? [`${table}: ${all - (before[table] ?? 0)}`] : [],
  );
}

// As often as it takes until the plan for any values is tried.
it.each([1, 2, 3, 4, 5, 6, 7])(
  'what is too old is forgotten without reading whole tables, turn %i',
  async () => {
    const purge = async (): Promise<void> => {
      const { more, ...counts } = await store.purge({
        ...AT,
        inboxMs: 0,
        lettersMs: 0,
        tombstonesMs: 0,
        limit: LIMIT,
      });
      expect(counts).toEqual({ inbox: LIMIT, consumed: LIMIT, letters: LIMIT, tombstones: LIMIT });
      expect(more).toBe(true);
    };
    expect(await readMuch(LIMIT, purge)).toEqual([]);
  },
);

it('deliveries expire batch by batch, and none of them reads whole tables', async () => {
  const expire = async (): Promise<void> => expect(await store.expireDeliveries(AT)).toBe(MANY);
  expect(await readMuch(MANY, expire)).toEqual([]);
});

it.each([1, 2, 3, 4, 5, 6, 7])('a claim looks at little more than it leases, turn %i', async () => {
  const limit = 200;
  const claim = async (): Promise<void> => {
    const timers = await store.claimTimers({ ...by(), destinations: [SAGA], limit });
    const work = await store.claimWork({ ...by(), destinations: ['handler:Pay'], limit });
    expect([timers.items.length, work.items.length]).toEqual([limit, limit]);
  };
  // Of work with a lane it looks at twice as many, and at each lane.
  expect(await readMuch(2 * limit, claim)).toEqual([]);
});
