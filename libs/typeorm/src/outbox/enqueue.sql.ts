import { after, INSTANT } from '../database/fragments.js';

/**
 * Adds work. Born leased to $2 if all of it may be dispatched now, else to nobody (always, if $2 is null). One row tells `leased`, and how many
 * rows were new.
 */
export const enqueueSql = `
WITH ${INSTANT},
fresh AS MATERIALIZED (
  SELECT f.*, $2::text IS NOT NULL AND bool_and(
    f.clear
    AND (f.lane IS NULL OR f.delay_ms > 0 OR NOT EXISTS (
      SELECT FROM orchestrator.outbox o
      WHERE o.tenant = f.tenant AND o.destination = f.destination AND o.lane = f.lane OFFSET 0))
    AND NOT EXISTS (
      SELECT FROM orchestrator.outbox o WHERE o.tenant = f.tenant AND o.destination = f.destination AND o.id = f.id OFFSET 0)
  ) OVER () AS leased
  FROM unnest($4::bool[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[])
    WITH ORDINALITY AS f (clear, tenant, destination, id, lane, payload, delay_ms, o)
),
written AS (
  INSERT INTO orchestrator.outbox (tenant, destination, id, lane, payload, delay_ms, claimable_at, owner, attempts)
  SELECT tenant, destination, id, lane, payload, delay_ms,
    CASE WHEN leased AND delay_ms <= 0 THEN ${after('$3::float8')} ELSE ${after('delay_ms')} END,
    CASE WHEN leased AND delay_ms <= 0 THEN $2 END,
    CASE WHEN leased AND delay_ms <= 0 THEN 1 ELSE 0 END
  FROM fresh ORDER BY o
  ON CONFLICT (tenant, destination, id) DO NOTHING
  RETURNING 1
)
SELECT (SELECT bool_and(leased) FROM fresh) AS leased, count(*)::int AS added FROM written`;
