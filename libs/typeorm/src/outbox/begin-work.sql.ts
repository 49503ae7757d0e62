/** Counts an attempt of a row that the caller holds. */
export const beginWorkSql = `
UPDATE orchestrator.outbox SET attempts = attempts + 1
WHERE tenant = $1 AND destination = $2 AND id = $3 AND owner = $4 AND dead::int = 0
RETURNING attempts`;
