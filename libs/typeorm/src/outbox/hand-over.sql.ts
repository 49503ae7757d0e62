import { asIfOne, INSTANT } from '../database/fragments.js';
import { MAY_BE_LEASED, WRITE_FRESH } from './born-leased.sql.js';

/**
 * Removes the rows ($11–$13) and adds work in their place. Born leased to $2 if all of it may be dispatched when the transaction has committed,
 * else to nobody. One row tells `leased`, how many rows were new, and whether a lane goes on behind a removed row.
 */
export const handOverSql = `
WITH ${INSTANT},
removed AS MATERIALIZED (
  DELETE FROM orchestrator.outbox o
  USING (
    SELECT * FROM unnest($11::text[], $12::text[], $13::text[]) AS d (tenant, destination, id) WHERE ${asIfOne('d.id')}
    ORDER BY tenant COLLATE "C", destination COLLATE "C", id COLLATE "C"
  ) d
  WHERE o.tenant = d.tenant AND o.destination = d.destination AND o.id = d.id
  RETURNING o.seq, o.tenant, o.destination, o.lane
),
fresh AS MATERIALIZED (
  SELECT f.*, bool_and(
    ${MAY_BE_LEASED}
  ) OVER () AS leased
  FROM unnest($4::bool[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[])
    WITH ORDINALITY AS f (clear, tenant, destination, id, lane, payload, delay_ms, o)
  -- The count makes that consumed rows are gone before new ones of the same key come.
  WHERE (SELECT count(*) FROM removed) >= 0
),
written AS (
  ${WRITE_FRESH}
  RETURNING 1
)
SELECT (SELECT bool_and(leased) FROM fresh) AS leased, (SELECT count(*) FROM written)::int AS added,
  EXISTS (
    SELECT FROM removed r WHERE r.lane IS NOT NULL AND EXISTS (
      SELECT FROM orchestrator.outbox o
      WHERE o.tenant = r.tenant AND o.destination = r.destination AND o.lane = r.lane
        AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0
    )
  ) AS followed`;
