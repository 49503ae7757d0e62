import { Client } from 'pg';

/** The instant at which everything happens; rows are older, or due later. */
export const NOW = Date.UTC(2030, 0, 1);
export const TENANT = 'acme';
export const SAGA = 'order';

/** Each with $1 rows of one application, as a store has them that was in use for a long time. `n` counts from 1. */
const FILLINGS: readonly string[] = [
  `INSERT INTO orchestrator.instance (tenant, saga, id, version, definition_version, state, status, data, machine, undo, ended, created_at, updated_at, ended_at, created_by, inbox_purged)
   SELECT 'acme', 'order', 'i-' || n, 1, 1, CASE WHEN n % 10 < 4 THEN 'done' ELSE 'open' END,
     CASE WHEN n % 10 < 4 THEN 'completed' WHEN n % 10000 = 9 THEN 'held' ELSE 'running' END,
     '{"orderId":"o-' || n || '","cents":100}', '{"states":["order.open"]}', '[]', n % 10 < 4, $2::bigint - $1 + n, $2::bigint - $1 + n,
     CASE WHEN n % 10 < 4 THEN $2::bigint - $1 + n END, 'm-' || n, false FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.instance_state (tenant, saga, state, created_at, seq, instance_id)
   SELECT tenant, saga, state, created_at, seq, id FROM orchestrator.instance WHERE $1::int > 0 AND $2::bigint > 0`,
  `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id)
   SELECT 'acme', 'order', 'orderId', 'o-' || n, 'i-' || n FROM generate_series(1, $1::int) n WHERE $2::bigint > 0`,
  `INSERT INTO orchestrator.instance_group (tenant, saga, name, value, instance_id)
   SELECT 'acme', 'order', 'customer', 'c-' || n % ($1::int / 100), 'i-' || n FROM generate_series(1, $1::int) n WHERE $2::bigint > 0`,
  `INSERT INTO orchestrator.inbox (tenant, saga, instance_id, message_id, outcome, at, version, ordinal, kind, name)
   SELECT 'acme', 'order', 'i-' || n, 'm-' || n, 'applied', $2::bigint - $1 + n, 1, 0, 'created', 'order.placed' FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.history (tenant, saga, instance_id, version, ordinal, kind, name, message_id, at)
   SELECT 'acme', 'order', 'i-' || n, 1, 1, 'note', 'note', 'm-' || n, $2::bigint - $1 + n FROM generate_series(1, $1::int) n`,
  // Some are due; half of them stand in lanes of ten, but for those of a destination where hundreds stand behind a leased one.
  `INSERT INTO orchestrator.outbox (tenant, destination, id, lane, payload, delay_ms, claimable_at, owner, attempts)
   SELECT 'acme', CASE WHEN n % 50 = 7 THEN 'handler:crowded' WHEN n % 2 = 0 THEN 'saga:order' ELSE 'handler:pay' END, 'w-' || n,
     CASE WHEN n % 50 = 7 THEN 'c-' || n / 50 % 50 WHEN n % 4 < 2 THEN 'l-' || n / 40 END, '{}', 0,
     $2::bigint + CASE WHEN n % 50 = 7 THEN CASE WHEN n <= 2500 THEN 1000 ELSE -1000 END ELSE n - 1000 END,
     CASE WHEN n % 3 = 0 THEN 'node-z' END, 1 FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.timer (tenant, saga, instance_id, name, token, delay_ms, payload, due_at, claimable_at)
   SELECT 'acme', 'order', 'i-' || n, 'timeout', 't', 1000, '{}', $2::bigint - 1000 + n, $2::bigint - 1000 + n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.delivery (tenant, saga, instance_id, key_name, key_value, message_id, payload, ttl_ms, expires_at)
   SELECT 'acme', 'order', CASE WHEN n % 2 = 0 THEN 'i-' || n END, CASE WHEN n % 2 = 1 THEN 'orderId' END, CASE WHEN n % 2 = 1 THEN 'p-' || n END,
     'd-' || n, '{}', 1000, $2::bigint - 100 + n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.consumed (tenant, destination, message_id, outcome, at)
   SELECT 'acme', 'handler:pay', 'w-' || n, 'handled', $2::bigint - $1 + n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, attempts, at, verdict, settled_by, settled_reason, settled_at)
   SELECT 'acme', CASE WHEN n % 50 = 0 THEN 'saga:order' ELSE 'handler:pay' END, 'x-' || n, '{}', 'Error: no', 10, $2::bigint - $1 + n, v, v, v,
     CASE WHEN v IS NOT NULL THEN $2::bigint - $1 + n END
   FROM (SELECT n, CASE WHEN n % 100 > 1 THEN 'discarded' END AS v FROM generate_series(1, $1::int) n) n`,
  `INSERT INTO orchestrator.tombstone (tenant, saga, name, value, instance_id, start_id, at)
   SELECT 'acme', 'order', 'orderId', 'gone-' || n, 'g-' || n, 'm-' || n, $2::bigint - $1 + n FROM generate_series(1, $1::int) n`,
  `INSERT INTO orchestrator.archive (tenant, saga, id, record, archived_at)
   SELECT 'acme', 'order', 'g-' || n, '{}', $2::bigint - $1 + n FROM generate_series(1, $1::int) n`,
];

/** Undo steps that nobody can read, of one instance. */
export async function spoil(url: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  await client.query(`UPDATE orchestrator.instance SET undo = '[' WHERE id = 'i-25'`);
  await client.end();
}

/** Fills the tables, and has the server look at them as it does by itself now and then. */
export async function fill(url: string, rows: number): Promise<void> {
  const clients = [new Client(url), new Client(url)];
  await Promise.all(clients.map((client) => client.connect()));
  const [first, ...rest] = FILLINGS;
  const queue = [...rest];
  await clients[0]?.query(first as string, [rows, NOW]);
  await Promise.all(
    clients.map(async (client) => {
      await client.query('SET synchronous_commit = off');
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        await client.query(next, [rows, NOW]);
    }),
  );
  await clients[0]?.query('VACUUM ANALYZE');
  await Promise.all(clients.map((client) => client.end()));
}
