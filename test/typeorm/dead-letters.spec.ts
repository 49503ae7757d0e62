import type { DeadLetterFilter } from '@nestjs-orchestrator/core/ports';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { oneConnection, TENANT, undisturbed } from './support.js';

/** One connection, so that its figures are told when it is asked for them. */
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let source: ReturnType<typeof oneConnection>;
let store: ReturnType<typeof typeormStore>;

const PAY = 'handler:Pay';
const PAGE = 20;

/** Letters of each tenant, destination and settlement: a few that are old, and then many of one kind after the other, so that whoever passes over a kind reads them all. */
const BLOCKS = `
INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, attempts, at, verdict, settled_by, settled_reason, settled_at)
SELECT tenant, destination, n::text, '{}', 'Error: no', 10, 1, verdict, verdict, verdict, CASE WHEN verdict IS NOT NULL THEN 1 END
FROM (VALUES (1), (2)) AS s (age)
CROSS JOIN (VALUES ('${TENANT}'), ('other')) AS t (tenant)
CROSS JOIN (VALUES ('${PAY}'), ('saga:order')) AS d (destination)
CROSS JOIN (VALUES (NULL), ('discarded')) AS v (verdict)
CROSS JOIN generate_series(1, CASE WHEN age = 1 THEN ${PAGE} ELSE 2000 END) n
ORDER BY age, tenant, destination, verdict, n`;

beforeAll(async () => {
  database = await createTestDatabase();
  source = await oneConnection(database.url).initialize();
  store = typeormStore(source);
  await store.start();
  await undisturbed(source);
  await source.query(BLOCKS);
  await source.query('ANALYZE orchestrator.dead_letter');
});

afterAll(async () => {
  await store.close();
  await source.destroy();
  await database.drop();
});

/** Letters that the server has looked at so far, through an index or without. */
async function read(): Promise<number> {
  await source.query('SELECT pg_stat_force_next_flush()');
  const [row] = await source.query<{ read: number }[]>(
    `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_user_tables WHERE relname = 'dead_letter'`,
  );
  return row?.read ?? Number.NaN;
}

const tenants = [undefined, TENANT, 'other'];
const destinations = [undefined, PAY, 'saga:order'];
const filters: readonly (readonly [string, DeadLetterFilter])[] = tenants.flatMap((tenant) =>
  destinations.flatMap((destination) =>
    [false, true].map(
      (settled) =>
        [
          `${settled ? 'settled' : 'open'} ones of ${tenant ?? 'all tenants'} for ${destination ?? 'any destination'}`,
          { settled, ...(tenant && { tenant }), ...(destination && { destination }) },
        ] as const,
    ),
  ),
);

it.each(filters)('a listing of %s reads the letters that it gives, and no others', async (_, filter) => {
  // The first five executions of a statement are planned for their values; the plan for any values is tried then.
  for (let turn = 1; turn <= 8; turn += 1) {
    const before = await read();
    const first = await store.deadLetters({ ...filter, limit: PAGE });
    const more = await store.deadLetters({ ...filter, limit: PAGE, before: first.at(-1)?.letter ?? '' });
    expect([first.length, more.length]).toEqual([PAGE, PAGE]);
    // The planner looks at the ends of an index as well; whoever passes over a kind of letters reads 2 000.
    expect((await read()) - before).toBeLessThan(3 * PAGE);
  }
});
