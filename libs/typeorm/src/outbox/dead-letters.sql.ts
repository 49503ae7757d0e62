/** What was given up, newest first. */
export const deadLettersSql = `
SELECT tenant, destination, id, payload, reason, attempts, at::float8 AS at
FROM orchestrator.dead_letter
WHERE $1::text IS NULL OR tenant = $1
ORDER BY seq DESC LIMIT $2::bigint`;
