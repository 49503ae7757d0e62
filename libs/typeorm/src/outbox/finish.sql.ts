import { asIfOne, INSTANT } from '../database/fragments.js';
import { MAY_BE_LEASED, WRITE_FRESH } from './born-leased.sql.js';

/**
 * Many messages consumed in one statement; each is finished or repeated alone. The unique index of consumed messages decides: whoever inserts
 * the row writes its work. A row that another transaction is about to insert is waited for, in key order, so that two never wait for each other.
 */
export const finishSql = `
WITH ${INSTANT},
item AS MATERIALIZED (
  SELECT * FROM unnest($4::int[], $5::text[], $6::text[], $7::text[], $8::text[]) AS i (n, tenant, destination, id, outcome)
),
noted AS MATERIALIZED (
  INSERT INTO orchestrator.consumed (tenant, destination, message_id, outcome, at)
  SELECT tenant, destination, id, outcome, ms FROM item, instant
  ORDER BY id COLLATE "C", destination COLLATE "C", tenant COLLATE "C", n
  ON CONFLICT (tenant, destination, message_id) DO NOTHING
  RETURNING tenant, destination, message_id
),
won AS MATERIALIZED (
  SELECT min(n) AS n FROM item
  WHERE ((tenant, destination, id) IN (SELECT tenant, destination, message_id FROM noted)) IS TRUE
  GROUP BY tenant, destination, id
),
removed AS MATERIALIZED (
  DELETE FROM orchestrator.outbox o
  USING (
    -- The count makes that nobody's row is locked while another transaction is waited for.
    SELECT DISTINCT tenant, destination, id FROM item WHERE (SELECT count(*) FROM noted) >= 0 AND ${asIfOne('id')}
  ) d
  WHERE o.tenant = d.tenant AND o.destination = d.destination AND o.id = d.id
  RETURNING o.seq, o.tenant, o.destination, o.lane
),
fresh AS MATERIALIZED (
  SELECT f.*, bool_and(
    ${MAY_BE_LEASED}
  ) OVER (PARTITION BY f.n) AS leased
  FROM unnest($9::int[], $10::bool[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::float8[])
    WITH ORDINALITY AS f (n, clear, tenant, destination, id, lane, payload, delay_ms, o)
  WHERE (f.n IN (SELECT n FROM won)) IS TRUE
    -- The count makes that consumed rows are gone before new ones of the same key come.
    AND (SELECT count(*) FROM removed) >= 0
),
written AS (
  ${WRITE_FRESH}
)
SELECT w.n, w.n NOT IN (SELECT n FROM fresh WHERE NOT leased) AS leased, whole.followed
FROM (
  SELECT EXISTS (
    SELECT FROM removed r WHERE r.lane IS NOT NULL AND EXISTS (
      SELECT FROM orchestrator.outbox o
      WHERE o.tenant = r.tenant AND o.destination = r.destination AND o.lane = r.lane
        AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0
    )
  ) AS followed
  OFFSET 0
) whole
LEFT JOIN won w ON true`;

/** Whether messages were consumed by their destinations, in the order asked. */
export const consumedSql = `
SELECT (
  SELECT c.outcome FROM orchestrator.consumed c
  WHERE c.tenant = a.tenant AND c.destination = a.destination AND c.message_id = a.id
) AS outcome
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a (tenant, destination, id, o)
ORDER BY a.o`;
