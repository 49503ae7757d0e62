/**
 * Counts what hasn't ended, group by group. Steps that nobody has to run any more are left out. Escaped characters in inputs, which Postgres can't always
 * unescape (NUL, halves of surrogate pairs), are blanked for it.
 */
export const censusSql = `
SELECT 'instances' AS kind, saga, definition_version AS "definitionVersion", state, status, NULL AS name, NULL AS destination, count(*)::float8 AS count
FROM orchestrator.instance WHERE ended_at IS NULL
GROUP BY saga, definition_version, state, status
UNION ALL
SELECT 'undo', t.saga, t.definition_version, NULL, NULL, step.value ->> 'name', NULL, count(*)
FROM orchestrator.instance t CROSS JOIN LATERAL json_array_elements(
  regexp_replace(t.undo, '\\\\u[0-9a-fA-F]{4}', '\\\\u0020', 'g')::json) step
WHERE t.ended_at IS NULL AND t.undo <> '[]' AND step.value ->> 'status' NOT IN ('done', 'kept', 'skipped', 'resolved')
GROUP BY t.saga, t.definition_version, step.value ->> 'name'
UNION ALL
SELECT 'timers', saga, NULL, NULL, NULL, name, NULL, count(*) FROM orchestrator.timer GROUP BY saga, name
UNION ALL
SELECT 'work', NULL, NULL, NULL, NULL, NULL, destination, count(*) FROM orchestrator.outbox WHERE NOT dead GROUP BY destination`;
