import { after, asIfOne, INSTANT } from '../database/fragments.js';

/** Prolongs leases of $2. A row that is locked is being finished or given back: its lease doesn't matter any more. */
export const renewWorkSql = `
WITH ${INSTANT},
held AS MATERIALIZED (
  SELECT o.* FROM unnest($4::text[], $5::text[], $6::text[]) AS k (tenant, destination, id) CROSS JOIN LATERAL (
    SELECT o.tenant, o.destination, o.id FROM orchestrator.outbox o
    WHERE o.tenant = k.tenant AND o.destination = k.destination AND o.id = k.id AND o.owner = $2
    FOR UPDATE SKIP LOCKED
  ) o
)
UPDATE orchestrator.outbox o SET claimable_at = ${after('$3::float8')} FROM held h
WHERE o.tenant = h.tenant AND o.destination = h.destination AND o.id = h.id AND ${asIfOne('h.id')}`;
