import { INSTANT } from '../database/fragments.js';

/** Gives an instance to one writer. A row that is locked is being written: it is not waited for. */
export const leaseSql = `
WITH ${INSTANT},
free AS MATERIALIZED (
  SELECT FROM orchestrator.instance t
  WHERE t.tenant = $2 AND t.saga = $3 AND t.id = $4
    AND (t.lease_token = $5 OR (t.lease_until > (SELECT ms FROM instant)) IS NOT TRUE)
  FOR UPDATE SKIP LOCKED
),
leased AS (
  UPDATE orchestrator.instance t SET lease_token = $5, lease_until = (SELECT ms FROM instant) + $6::float8::bigint
  WHERE t.tenant = $2 AND t.saga = $3 AND t.id = $4 AND EXISTS (SELECT FROM free)
  RETURNING 1
)
SELECT EXISTS (SELECT FROM leased) AS leased, greatest(0, t.lease_until - (SELECT ms FROM instant))::float8 AS "retryMs"
FROM orchestrator.instance t WHERE t.tenant = $2 AND t.saga = $3 AND t.id = $4`;

/** Ends a lease, if it is still this one. */
export const unleaseSql = `
UPDATE orchestrator.instance SET lease_token = NULL, lease_until = NULL
WHERE tenant = $1 AND saga = $2 AND id = $3 AND lease_token = $4`;
