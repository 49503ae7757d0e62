import { INSTANCE_COLUMNS, OPEN_DELIVERIES } from '../database/fragments.js';

/** Instances by id or key, with what the inbox says of a message; one row per request. */
export const loadSql = `
WITH request AS MATERIALIZED (
  SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS r (n, tenant, saga, id, key_name, key_value, message_id)
)
SELECT r.n, ${INSTANCE_COLUMNS}, coalesce(waiting.count, 0)::int AS "openDeliveries",
  coalesce(i.outcome, CASE WHEN waiting.has_message OR parked.found THEN 'deferred' END) AS outcome, i.reply,
  stone.id AS "tombstoneId", stone.starts AS "tombstoneStarts"
FROM request r
LEFT JOIN LATERAL (
  SELECT k.instance_id FROM orchestrator.instance_key k
  WHERE r.id IS NULL AND k.tenant = r.tenant AND k.saga = r.saga AND k.name = r.key_name AND k.value = r.key_value OFFSET 0
) k ON true
LEFT JOIN LATERAL (
  SELECT * FROM orchestrator.instance t
  WHERE t.tenant = r.tenant AND t.saga = r.saga AND t.id = coalesce(r.id, k.instance_id) OFFSET 0
) t ON true
LEFT JOIN LATERAL (
  SELECT i.outcome, i.reply FROM orchestrator.inbox i
  WHERE i.tenant = t.tenant AND i.saga = t.saga AND i.instance_id = t.id AND i.message_id = r.message_id OFFSET 0
) i ON true
LEFT JOIN LATERAL (
  SELECT count(DISTINCT d.message_id) AS count, bool_or(d.message_id = r.message_id) AS has_message
  FROM (${OPEN_DELIVERIES}) d OFFSET 0
) waiting ON t.id IS NOT NULL
LEFT JOIN LATERAL (
  SELECT true AS found FROM orchestrator.delivery d
  WHERE r.id IS NULL AND t.id IS NULL AND d.tenant = r.tenant AND d.saga = r.saga AND d.key_name = r.key_name
    AND d.key_value = r.key_value AND d.message_id = r.message_id AND d.instance_id IS NULL OFFSET 0
) parked ON true
LEFT JOIN LATERAL (
  SELECT (array_agg(s.instance_id ORDER BY s.seq DESC))[1] AS id, array_agg(s.start_id ORDER BY s.seq) AS starts
  FROM orchestrator.tombstone s
  WHERE r.id IS NULL AND t.ended IS NOT FALSE AND s.tenant = r.tenant AND s.saga = r.saga AND s.name = r.key_name
    AND s.value = r.key_value OFFSET 0
) stone ON true`;
