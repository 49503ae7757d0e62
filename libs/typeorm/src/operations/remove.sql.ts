import { INSTANT } from '../database/fragments.js';

/** Takes an instance out of the way, unless it was changed, is leased, or is being written; with it goes what only it could use. */
export const removeSql = `
WITH ${INSTANT},
gone AS MATERIALIZED (
  DELETE FROM orchestrator.instance t
  WHERE (t.id, t.saga, t.tenant) IN (
    SELECT t.id, t.saga, t.tenant FROM orchestrator.instance t
    WHERE t.tenant = $2 AND t.saga = $3 AND t.id = $4 AND t.version = $5 AND (t.lease_until > (SELECT ms FROM instant)) IS NOT TRUE
    FOR UPDATE SKIP LOCKED
  )
  RETURNING t.tenant, t.saga, t.id, t.created_by, t.state, t.created_at, t.seq
),
unlisted AS (
  DELETE FROM orchestrator.instance_state p USING gone g
  WHERE p.state = g.state AND p.saga = g.saga AND p.tenant = g.tenant AND p.created_at = g.created_at AND p.seq = g.seq
),
unkeyed AS MATERIALIZED (
  DELETE FROM orchestrator.instance_key k USING gone g
  WHERE k.tenant = g.tenant AND k.saga = g.saga AND k.instance_id = g.id
  RETURNING k.tenant, k.saga, k.name, k.value, g.id, g.created_by
),
buried AS (
  INSERT INTO orchestrator.tombstone (tenant, saga, name, value, instance_id, start_id, at)
  SELECT tenant, saga, name, value, id, created_by, ms FROM unkeyed, instant
  ON CONFLICT (tenant, saga, name, value, instance_id) DO NOTHING
),
ungrouped AS (
  DELETE FROM orchestrator.instance_group i USING gone g WHERE i.tenant = g.tenant AND i.saga = g.saga AND i.instance_id = g.id
),
unread AS (
  DELETE FROM orchestrator.inbox i USING gone g WHERE i.tenant = g.tenant AND i.saga = g.saga AND i.instance_id = g.id
),
disarmed AS (
  DELETE FROM orchestrator.timer i USING gone g WHERE i.tenant = g.tenant AND i.saga = g.saga AND i.instance_id = g.id
),
untold AS (
  DELETE FROM orchestrator.history i USING gone g WHERE i.tenant = g.tenant AND i.saga = g.saga AND i.instance_id = g.id
),
deferred AS MATERIALIZED (
  DELETE FROM orchestrator.delivery d USING gone g WHERE d.tenant = g.tenant AND d.saga = g.saga AND d.instance_id = g.id
  RETURNING d.tenant, d.saga, d.message_id, d.payload, d.seq
),
parked AS MATERIALIZED (
  DELETE FROM orchestrator.delivery d USING unkeyed k
  WHERE d.tenant = k.tenant AND d.saga = k.saga AND d.key_name = k.name AND d.key_value = k.value AND d.instance_id IS NULL
  RETURNING d.tenant, d.saga, d.message_id, d.payload, d.seq
),
told AS (
  INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, attempts, at)
  SELECT d.tenant, 'saga:' || d.saga, d.message_id, d.payload, 'its instance was removed', 0, ms
  FROM (
    SELECT DISTINCT ON (message_id) * FROM (SELECT * FROM deferred UNION ALL SELECT * FROM parked) d ORDER BY message_id, seq
  ) d, instant
  ORDER BY d.seq
),
archived AS (
  INSERT INTO orchestrator.archive (tenant, saga, id, record, archived_at)
  SELECT tenant, saga, id, $6, ms FROM gone, instant WHERE $6::text IS NOT NULL
  ON CONFLICT (tenant, saga, id) DO NOTHING
)
SELECT count(*)::int AS removed FROM gone`;

/** What was kept of a removed instance. */
export const archivedSql = `
SELECT record, archived_at::float8 AS "archivedAt" FROM orchestrator.archive WHERE tenant = $1 AND saga = $2 AND id = $3`;
