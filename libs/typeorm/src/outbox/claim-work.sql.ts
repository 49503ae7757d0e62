import { after, INSTANT } from '../database/fragments.js';

/** A row "o" whose lane has no earlier undone row; dead rows hold their lane. */
const IS_NEXT = `(o.lane IS NULL OR NOT EXISTS (
      SELECT FROM orchestrator.outbox e
      WHERE e.tenant = o.tenant AND e.destination = o.destination AND e.lane = o.lane AND e.seq < o.seq OFFSET 0))`;

/**
 * Leases work, counting the attempt. Row locks last as long as this statement; what another one is leasing is skipped. The index on
 * (destination, claimable_at) leads past everything that is leased or delayed, however much that is.
 */
export const claimWorkSql = `
WITH ${INSTANT},
wanted AS MATERIALIZED (SELECT DISTINCT destination FROM unnest($4::text[]) AS d (destination)),
due AS MATERIALIZED (
  SELECT o.* FROM wanted w CROSS JOIN LATERAL (
    SELECT o.tenant, o.destination, o.id, o.claimable_at, o.seq FROM orchestrator.outbox o
    WHERE o.destination = w.destination AND NOT o.dead AND o.claimable_at <= (SELECT ms FROM instant) AND ${IS_NEXT}
    ORDER BY o.claimable_at, o.seq LIMIT $5::int
    FOR UPDATE SKIP LOCKED
  ) o
),
picked AS MATERIALIZED (SELECT * FROM due ORDER BY claimable_at, seq LIMIT $5::int),
leased AS (
  UPDATE orchestrator.outbox o
  SET owner = $2, claimable_at = ${after('$3::float8')}, attempts = o.attempts + 1
  FROM picked p
  WHERE o.tenant = p.tenant AND o.destination = p.destination AND o.id = p.id
  RETURNING o.tenant, o.destination, o.id, o.lane, o.payload, o.delay_ms AS "delayMs", o.attempts, o.seq
),
next AS (
  SELECT least(
    -- A full hand may have left something behind.
    CASE WHEN (SELECT count(*) FROM picked) >= $5::int THEN 0 END,
    CASE WHEN EXISTS (SELECT FROM picked) THEN $3::float8 END,
    (SELECT min(o.claimable_at) - (SELECT ms FROM instant) FROM wanted w CROSS JOIN LATERAL (
      SELECT o.claimable_at FROM orchestrator.outbox o
      WHERE o.destination = w.destination AND NOT o.dead AND o.claimable_at > (SELECT ms FROM instant) AND ${IS_NEXT}
      ORDER BY o.claimable_at LIMIT 1
    ) o)
  )::float8 AS ms
)
SELECT l.*, next.ms AS "nextDueMs" FROM next LEFT JOIN leased l ON true ORDER BY l.seq`;
