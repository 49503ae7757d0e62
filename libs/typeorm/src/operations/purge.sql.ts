import { asIfOne, INSTANT } from '../database/fragments.js';

/**
 * Forgets inbox rows of instances that ended longer ago than $2: those of the $3 that ended first, of which each is then marked, so that it is not looked at
 * again.
 */
export const purgeInboxSql = `
WITH ${INSTANT},
ended AS MATERIALIZED (
  SELECT t.tenant, t.saga, t.id FROM orchestrator.instance t
  WHERE t.ended_at IS NOT NULL AND NOT t.inbox_purged AND t.ended_at <= (SELECT ms FROM instant) - $2::float8
  ORDER BY t.ended_at LIMIT $3::int
  FOR UPDATE SKIP LOCKED
),
marked AS (
  UPDATE orchestrator.instance t SET inbox_purged = true FROM (SELECT * FROM ended WHERE ${asIfOne('id')}) e
  WHERE t.id = e.id AND t.saga = e.saga AND t.tenant = e.tenant
),
forgotten AS (
  DELETE FROM orchestrator.inbox i USING (SELECT * FROM ended WHERE ${asIfOne('id')}) e
  WHERE i.instance_id = e.id AND i.saga = e.saga AND i.tenant = e.tenant
  RETURNING i.*
),
-- History outlives the inbox.
kept AS (
  INSERT INTO orchestrator.history (tenant, saga, instance_id, version, ordinal, kind, name, message_id, from_state, to_state, detail, at)
  SELECT tenant, saga, instance_id, version, ordinal, kind, name, message_id, from_state, to_state, detail, at
  FROM forgotten WHERE kind IS NOT NULL
)
SELECT (SELECT count(*) FROM ended)::int AS seen, (SELECT count(*) FROM forgotten)::int AS count`;

/** Forgets rows of consumed messages that are older than $2, about $3 of them. */
export const purgeConsumedSql = `
WITH ${INSTANT},
forgotten AS (
  DELETE FROM orchestrator.consumed WHERE ctid = ANY (ARRAY(
    SELECT c.ctid FROM orchestrator.consumed c WHERE c.at <= (SELECT ms FROM instant) - $2::float8 LIMIT $3::int
    FOR UPDATE SKIP LOCKED
  ))
  RETURNING 1
)
SELECT count(*)::int AS count FROM forgotten`;

/** Forgets letters that were settled longer ago than $2. */
export const purgeLettersSql = `
WITH ${INSTANT},
forgotten AS (
  DELETE FROM orchestrator.dead_letter WHERE ctid = ANY (ARRAY(
    SELECT d.ctid FROM orchestrator.dead_letter d WHERE d.settled_at <= (SELECT ms FROM instant) - $2::float8
    ORDER BY d.settled_at LIMIT $3::int FOR UPDATE SKIP LOCKED
  ))
  RETURNING 1
)
SELECT count(*)::int AS count FROM forgotten`;

/** Forgets tombstones that are older than $2. */
export const purgeTombstonesSql = `
WITH ${INSTANT},
forgotten AS (
  DELETE FROM orchestrator.tombstone WHERE ctid = ANY (ARRAY(
    SELECT s.ctid FROM orchestrator.tombstone s WHERE s.at <= (SELECT ms FROM instant) - $2::float8
    ORDER BY s.at LIMIT $3::int FOR UPDATE SKIP LOCKED
  ))
  RETURNING 1
)
SELECT count(*)::int AS count FROM forgotten`;
