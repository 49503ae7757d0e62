import { after, asIfOne, INSTANT } from '../database/fragments.js';

const NOW = '(SELECT ms FROM instant)';

/** A row "o" whose lane has no earlier undone row; dead rows hold their lane. */
const IS_NEXT = `NOT EXISTS (
  SELECT FROM orchestrator.outbox e
  WHERE e.destination = o.destination AND e.lane = o.lane AND e.tenant = o.tenant AND e.seq < o.seq OFFSET 0)`;

/** Locks the row that "c" names, if it still can be claimed; what another statement is leasing is skipped. */
const LOCKED = `(
  SELECT o.tenant, o.destination, o.id, o.claimable_at, o.seq, o.owner FROM orchestrator.outbox o
  WHERE o.id = c.id AND o.destination = c.destination AND o.tenant = c.tenant
    AND o.claimable_at <= ${NOW} AND o.dead::int = 0 AND ${IS_NEXT}
  FOR UPDATE SKIP LOCKED
)`;

const WANTED = `wanted AS MATERIALIZED (SELECT DISTINCT destination FROM unnest($4::text[]) AS d (destination))`;

/** Leases what is "due", counting the attempt unless somebody had it who never said what became of it; the row locks last as long as this statement. */
function lease(nextDue: string): string {
  return `picked AS MATERIALIZED (SELECT * FROM due ORDER BY claimable_at, seq LIMIT $5::int),
leased AS (
  UPDATE orchestrator.outbox o
  SET owner = $2, claimable_at = ${after('$3::float8')}, attempts = o.attempts + (p.owner IS NULL)::int
  FROM (SELECT * FROM picked WHERE ${asIfOne('id')}) p
  WHERE o.id = p.id AND o.destination = p.destination AND o.tenant = p.tenant
  RETURNING o.tenant, o.destination, o.id, o.lane, o.payload, o.delay_ms AS "delayMs", o.attempts, o.seq, p.owner IS NOT NULL AS suspect
),
next AS (
  SELECT least(
    -- A full hand may have left something behind.
    CASE WHEN (SELECT count(*) FROM picked) >= $5::int THEN 0 END,
    CASE WHEN EXISTS (SELECT FROM picked) THEN $3::float8 END,
    (SELECT min(claimable_at) - ${NOW} FROM (${nextDue}) o)
  )::float8 AS ms
)`;
}

/** The earliest row of a destination "w" that is not due yet. */
function soonest(condition: string): string {
  return `SELECT o.claimable_at FROM wanted w CROSS JOIN LATERAL (
    SELECT o.claimable_at FROM orchestrator.outbox o
    WHERE o.destination = w.destination AND NOT o.dead AND o.claimable_at > ${NOW} AND ${condition}
    ORDER BY o.claimable_at, o.seq LIMIT 1
  ) o`;
}

/**
 * Leases work. The indexes on (destination, claimable_at) lead past everything that is leased or delayed, however much that is. Of rows with a lane
 * the first $6 are looked at; `crowded` tells that there are more, and that it was not enough to fill the hand.
 */
export const claimWorkSql = `
WITH ${INSTANT},
${WANTED},
due AS MATERIALIZED (
  SELECT o.* FROM wanted w CROSS JOIN LATERAL (
    SELECT o.tenant, o.destination, o.id, o.claimable_at, o.seq, o.owner FROM orchestrator.outbox o
    WHERE o.destination = w.destination AND NOT o.dead AND o.lane IS NULL AND o.claimable_at <= ${NOW}
    ORDER BY o.claimable_at, o.seq LIMIT $5::int
    FOR UPDATE SKIP LOCKED
  ) o
  UNION ALL
  SELECT o.* FROM wanted w CROSS JOIN LATERAL (
    SELECT o.* FROM (
      SELECT o.tenant, o.destination, o.id FROM orchestrator.outbox o
      WHERE o.destination = w.destination AND NOT o.dead AND o.lane IS NOT NULL AND o.claimable_at <= ${NOW}
      ORDER BY o.claimable_at, o.seq LIMIT $6::int
    ) c CROSS JOIN LATERAL ${LOCKED} o
    LIMIT $5::int
  ) o
),
${lease(`${soonest('o.lane IS NULL')} UNION ALL ${soonest(`o.lane IS NOT NULL AND ${IS_NEXT}`)}`)},
crowd AS (
  SELECT (SELECT count(*) FROM picked) < $5::int AND EXISTS (
    SELECT FROM wanted w CROSS JOIN LATERAL (
      SELECT FROM orchestrator.outbox o
      WHERE o.destination = w.destination AND NOT o.dead AND o.lane IS NOT NULL AND o.claimable_at <= ${NOW}
      ORDER BY o.claimable_at, o.seq OFFSET $6::int LIMIT 1
    ) more
  ) AS crowded
)
SELECT l.*, next.ms AS "nextDueMs", crowd.crowded FROM next CROSS JOIN crowd LEFT JOIN leased l ON true ORDER BY l.seq`;

/**
 * Leases the heads of lanes, when so many rows wait behind them that {@link claimWorkSql} can't see past those: goes from lane to lane in the
 * index, one step each, however long they are.
 */
export const claimLanesSql = `
WITH RECURSIVE ${INSTANT},
${WANTED},
lane AS (
  SELECT o.* FROM wanted w CROSS JOIN LATERAL (
    SELECT o.destination, o.lane, o.tenant FROM orchestrator.outbox o
    WHERE o.destination = w.destination AND o.lane IS NOT NULL
    ORDER BY o.lane, o.tenant LIMIT 1
  ) o
  UNION ALL
  SELECT o.* FROM lane l CROSS JOIN LATERAL (
    SELECT o.destination, o.lane, o.tenant FROM orchestrator.outbox o
    WHERE o.destination = l.destination AND o.lane IS NOT NULL AND (o.lane, o.tenant) > (l.lane, l.tenant)
    ORDER BY o.lane, o.tenant LIMIT 1
  ) o
),
head AS MATERIALIZED (
  SELECT h.* FROM lane l CROSS JOIN LATERAL (
    SELECT o.tenant, o.destination, o.id, o.claimable_at, o.seq, o.dead FROM orchestrator.outbox o
    WHERE o.destination = l.destination AND o.lane = l.lane AND o.tenant = l.tenant
    ORDER BY o.seq LIMIT 1
  ) h
),
due AS MATERIALIZED (
  SELECT o.* FROM (
    SELECT * FROM head WHERE NOT dead AND claimable_at <= ${NOW} ORDER BY claimable_at, seq
  ) c CROSS JOIN LATERAL ${LOCKED} o
  LIMIT $5::int
),
${lease(`SELECT claimable_at FROM head WHERE NOT dead AND claimable_at > ${NOW}`)}
SELECT l.*, next.ms AS "nextDueMs" FROM next LEFT JOIN leased l ON true ORDER BY l.seq`;
