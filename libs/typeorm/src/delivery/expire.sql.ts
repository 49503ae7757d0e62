import { asIfOne, INSTANT } from '../database/fragments.js';

/**
 * Turns deliveries past their time into dead letters. The count on the key row is lowered by as many, on the row's latest version, so that what
 * is parked meanwhile stays counted; a key on which nothing waits and which leads nowhere is forgotten.
 */
export const expireSql = `
WITH ${INSTANT},
expired AS MATERIALIZED (
  DELETE FROM orchestrator.delivery WHERE ctid = ANY (ARRAY(
    SELECT d.ctid FROM orchestrator.delivery d WHERE d.expires_at <= (SELECT ms FROM instant)
    ORDER BY d.expires_at LIMIT $2::int FOR UPDATE SKIP LOCKED
  ))
  RETURNING *
),
emptied AS MATERIALIZED (
  SELECT tenant, saga, key_name, key_value, count(*)::int AS count FROM expired WHERE instance_id IS NULL
  GROUP BY tenant, saga, key_name, key_value
),
forgotten AS (
  DELETE FROM orchestrator.instance_key k USING (SELECT * FROM emptied WHERE ${asIfOne('key_value')}) e
  WHERE k.tenant = e.tenant AND k.saga = e.saga AND k.name = e.key_name AND k.value = e.key_value
    AND k.instance_id IS NULL AND k.parked <= e.count
),
lowered AS (
  UPDATE orchestrator.instance_key k SET parked = k.parked - e.count FROM (SELECT * FROM emptied WHERE ${asIfOne('key_value')}) e
  WHERE k.tenant = e.tenant AND k.saga = e.saga AND k.name = e.key_name AND k.value = e.key_value
    AND k.instance_id IS NULL AND k.parked > e.count
),
told AS (
  INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, attempts, at)
  SELECT tenant, 'saga:' || saga, message_id, payload, 'nobody answered it within ' || ttl_ms || ' ms', 0, ms
  FROM expired, instant ORDER BY seq
)
SELECT count(*)::int AS expired FROM expired`;
