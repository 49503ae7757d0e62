/** The instant of a statement: parameter $1, or the clock of the server. Milliseconds since the epoch. */
export const INSTANT = `instant AS MATERIALIZED (
  SELECT coalesce($1::float8, extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms
)`;

/** Later by a delay; a delay without end ends in the year 9999. */
export function after(delay: string): string {
  return `(SELECT ms FROM instant) + least(${delay}, 253402300799000 - (SELECT ms FROM instant))::bigint`;
}

/**
 * True of every text. Makes the planner believe that one row is left, so that a join with a table stays a look-up by key for each row: it would
 * read the whole of a table that it takes for small, and keep doing so when that has grown.
 */
export function asIfOne(column: string): string {
  return `${column} = ${column} || ''`;
}

/** The columns of an instance "t" as the port names them, for {@link InstanceRow}. */
export const INSTANCE_COLUMNS = `t.tenant, t.saga, t.id, t.version, t.definition_version AS "definitionVersion",
  t.state, t.status, t.data, t.machine, t.undo, t.hold, t.ended, t.created_at::float8 AS "createdAt",
  t.updated_at::float8 AS "updatedAt", t.ended_at::float8 AS "endedAt"`;

/** Deliveries that wait for the instance "t": deferred ones, and those parked on a key that leads to it. */
export const OPEN_DELIVERIES = `
  SELECT d.message_id, d.payload, d.ttl_ms, d.seq FROM orchestrator.delivery d
  WHERE d.tenant = t.tenant AND d.saga = t.saga AND d.instance_id = t.id
  UNION ALL
  SELECT d.message_id, d.payload, d.ttl_ms, d.seq FROM orchestrator.instance_key k
  JOIN orchestrator.delivery d ON d.tenant = k.tenant AND d.saga = k.saga AND d.key_name = k.name
    AND d.key_value = k.value AND d.instance_id IS NULL
  WHERE k.tenant = t.tenant AND k.saga = t.saga AND k.instance_id = t.id AND k.parked > 0`;
