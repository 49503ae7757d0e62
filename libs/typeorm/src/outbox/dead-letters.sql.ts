/** What was given up, newest first. */
export const deadLettersSql = `
SELECT tenant, destination, id, seq::text AS letter, payload, reason, detail, attempts, at::float8 AS at,
  verdict AS verb, settled_by AS by, settled_reason AS because, settled_at::float8 AS "settledAt"
FROM orchestrator.dead_letter
WHERE ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR destination = $2)
  AND (settled_at IS NOT NULL) = $3::bool AND ($4::bigint IS NULL OR seq < $4)
ORDER BY seq DESC LIMIT $5::bigint`;
