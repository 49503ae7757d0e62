/** The keys that lead to an instance. */
export const keysSql = `
SELECT name, value FROM orchestrator.instance_key
WHERE tenant = $1 AND saga = $2 AND instance_id = $3
ORDER BY name, value`;
