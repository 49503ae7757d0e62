import { INSTANT } from '../database/fragments.js';

/**
 * Settles an open letter. Its work ($7 to $12) is the dead row once more, if that is still there to hold its lane, else a new one; without any, the
 * dead row goes.
 */
export const settleSql = `
WITH ${INSTANT},
letter AS MATERIALIZED (
  UPDATE orchestrator.dead_letter
  SET verdict = $4, settled_by = $5, settled_reason = $6, settled_at = (SELECT ms FROM instant)
  WHERE tenant = $2 AND seq = $3::bigint AND settled_at IS NULL
  RETURNING tenant, destination, id
),
revived AS (
  UPDATE orchestrator.outbox o
  SET dead = false, attempts = 0, owner = NULL, reason = NULL, claimable_at = (SELECT ms FROM instant)
  FROM letter l
  WHERE $7::text IS NOT NULL AND o.tenant = l.tenant AND o.destination = $7 AND o.id = $8 AND o.dead::int = 1
),
gone AS (
  DELETE FROM orchestrator.outbox o USING letter l
  WHERE $7::text IS NULL AND o.tenant = l.tenant AND o.destination = l.destination AND o.id = l.id AND o.dead::int = 1
),
written AS (
  INSERT INTO orchestrator.outbox (tenant, destination, id, lane, payload, delay_ms, claimable_at, attempts)
  SELECT l.tenant, $7, $8, $9, $10, $11::float8, ms + $11::float8::bigint, 0 FROM letter l, instant WHERE $7::text IS NOT NULL
  ON CONFLICT (tenant, destination, id) DO NOTHING
)
SELECT count(*)::int AS settled FROM letter`;
