import { after, asIfOne, INSTANT } from '../database/fragments.js';

/** Leases due timers of sagas, counting the attempt unless somebody had it who never said what became of it, and tells when the next one is due. */
export const claimTimersSql = `
WITH ${INSTANT},
wanted AS MATERIALIZED (SELECT DISTINCT saga FROM unnest($3::text[]) AS s (saga)),
due AS MATERIALIZED (
  SELECT t.* FROM wanted w CROSS JOIN LATERAL (
    SELECT t.tenant, t.saga, t.instance_id, t.name, t.claimable_at, t.due_at, t.owner FROM orchestrator.timer t
    WHERE (t.saga || '/') = (w.saga || '/') AND t.claimable_at <= (SELECT ms FROM instant)
    ORDER BY t.claimable_at, t.due_at LIMIT $4::int
    FOR UPDATE SKIP LOCKED
  ) t
),
picked AS MATERIALIZED (SELECT * FROM due ORDER BY claimable_at, due_at LIMIT $4::int),
leased AS (
  UPDATE orchestrator.timer t SET claimable_at = ${after('$2::float8')}, owner = $5, attempts = t.attempts + (p.owner IS NULL)::int
  FROM (SELECT * FROM picked WHERE ${asIfOne('instance_id')}) p
  WHERE t.tenant = p.tenant AND t.saga = p.saga AND t.instance_id = p.instance_id AND t.name = p.name
  RETURNING t.tenant, t.saga, t.instance_id AS id, t.name, t.token, t.delay_ms AS "delayMs", t.payload, t.attempts, p.owner IS NOT NULL AS suspect,
    t.due_at::float8 AS "dueAt"
),
next AS (
  SELECT least(
    CASE WHEN (SELECT count(*) FROM picked) >= $4::int THEN 0 END,
    CASE WHEN EXISTS (SELECT FROM picked) THEN $2::float8 END,
    (SELECT min(t.claimable_at) - (SELECT ms FROM instant) FROM wanted w CROSS JOIN LATERAL (
      SELECT t.claimable_at FROM orchestrator.timer t
      WHERE (t.saga || '/') = (w.saga || '/') AND t.claimable_at > (SELECT ms FROM instant)
      ORDER BY t.claimable_at LIMIT 1
    ) t)
  )::float8 AS ms
)
SELECT l.*, next.ms AS "nextDueMs" FROM next LEFT JOIN leased l ON true ORDER BY l."dueAt"`;
