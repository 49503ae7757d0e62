import { after, asIfOne, INSTANT } from '../database/fragments.js';

/**
 * Parks messages on keys without an instance. The key row is inserted or locked, so that parking and a creation that claims the key see each other:
 * whoever comes second reads the latest version of the row. Rows are locked in the order in which `commitSql` claims them. A key that somebody is
 * claiming in this moment, perhaps in a transaction that stays open, is not waited for: `commitSql` has an advisory lock on it.
 */
export const parkSql = `
WITH ${INSTANT},
request AS MATERIALIZED (
  SELECT * FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[])
  AS r (n, tenant, saga, name, value, message_id, payload, ttl_ms)
  WHERE pg_try_advisory_xact_lock_shared(
    hashtextextended(r.tenant, hashtextextended(r.saga, hashtextextended(r.name, hashtextextended(r.value, 7)))))
),
touched AS MATERIALIZED (
  INSERT INTO orchestrator.instance_key AS k (tenant, saga, name, value, parked)
  SELECT r.tenant, r.saga, r.name, r.value, count(DISTINCT r.message_id) FILTER (WHERE NOT EXISTS (
    SELECT FROM orchestrator.delivery d
    WHERE d.tenant = r.tenant AND d.saga = r.saga AND d.key_name = r.name AND d.key_value = r.value
      AND d.message_id = r.message_id AND d.instance_id IS NULL OFFSET 0))
  FROM request r
  GROUP BY r.tenant, r.saga, r.name, r.value
  ORDER BY r.tenant COLLATE "C", r.saga COLLATE "C", r.name COLLATE "C", r.value COLLATE "C"
  ON CONFLICT (tenant, saga, name, value) DO UPDATE SET parked = k.parked + excluded.parked WHERE k.instance_id IS NULL
  RETURNING k.tenant, k.saga, k.name, k.value
),
kept AS MATERIALIZED (SELECT r.* FROM request r JOIN touched USING (tenant, saga, name, value)),
stored AS (
  INSERT INTO orchestrator.delivery (tenant, saga, key_name, key_value, message_id, payload, ttl_ms, expires_at)
  SELECT tenant, saga, name, value, message_id, payload, ttl_ms, ${after('ttl_ms')} FROM kept ORDER BY n
  ON CONFLICT (tenant, saga, key_name, key_value, message_id) WHERE instance_id IS NULL DO NOTHING
),
removed AS MATERIALIZED (
  DELETE FROM orchestrator.outbox o
  USING (
    SELECT d.* FROM unnest($10::int[], $11::text[], $12::text[], $13::text[]) AS d (n, tenant, destination, id) JOIN kept USING (n)
    WHERE ${asIfOne('d.id')}
    ORDER BY d.tenant COLLATE "C", d.destination COLLATE "C", d.id COLLATE "C"
  ) d
  WHERE o.tenant = d.tenant AND o.destination = d.destination AND o.id = d.id
  RETURNING o.seq, o.tenant, o.destination, o.lane
)
SELECT kept.n, EXISTS (
  SELECT FROM removed r WHERE r.lane IS NOT NULL AND EXISTS (
    SELECT FROM orchestrator.outbox o
    WHERE o.tenant = r.tenant AND o.destination = r.destination AND o.lane = r.lane
      AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0
  )
) AS followed
FROM kept`;
