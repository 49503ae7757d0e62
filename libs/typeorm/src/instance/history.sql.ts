/** What happened to one instance, oldest first. */
export const historySql = `
SELECT kind, name, message_id AS "messageId", from_state AS "from", to_state AS "to", detail, version, at::float8 AS at
FROM orchestrator.history
WHERE tenant = $1 AND saga = $2 AND instance_id = $3
ORDER BY version, ordinal`;
