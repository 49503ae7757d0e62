/** What happened to one instance, oldest first. */
export const historySql = `
SELECT kind, name, message_id AS "messageId", from_state AS "from", to_state AS "to", detail, version, at::float8 AS at
FROM (
  SELECT kind, name, message_id, from_state, to_state, detail, version, ordinal, at FROM orchestrator.history
  WHERE tenant = $1 AND saga = $2 AND instance_id = $3
  UNION ALL
  -- What the handling of a message has left lies beside what it has answered.
  SELECT kind, name, message_id, from_state, to_state, detail, version, ordinal, at FROM orchestrator.inbox
  WHERE tenant = $1 AND saga = $2 AND instance_id = $3 AND kind IS NOT NULL
) line
ORDER BY version, ordinal`;
