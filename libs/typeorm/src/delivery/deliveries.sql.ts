import { OPEN_DELIVERIES } from '../database/fragments.js';

/** What waits for one instance, oldest first; a message that was parked and deferred waits once. */
export const deliveriesSql = `
SELECT message_id AS "messageId", payload, ttl_ms AS "ttlMs" FROM (
  SELECT DISTINCT ON (d.message_id) d.*
  FROM (SELECT $1::text AS tenant, $2::text AS saga, $3::text AS id) t CROSS JOIN LATERAL (${OPEN_DELIVERIES}) d
  ORDER BY d.message_id, d.seq
) d
ORDER BY d.seq`;
