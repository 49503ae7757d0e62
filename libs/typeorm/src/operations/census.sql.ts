const groups = `
SELECT 'instances' AS kind, saga, definition_version AS "definitionVersion", state, status, NULL AS name, NULL AS destination, count(*)::float8 AS count
FROM orchestrator.instance WHERE ended_at IS NULL
GROUP BY saga, definition_version, state, status
UNION ALL
SELECT 'timers', saga, NULL, NULL, NULL, name, NULL, count(*) FROM orchestrator.timer GROUP BY saga, name
UNION ALL
SELECT 'work', NULL, NULL, NULL, NULL, NULL, destination, count(*) FROM orchestrator.outbox WHERE NOT dead GROUP BY destination`;

/**
 * Counts what hasn't ended, group by group. Steps that nobody has to run any more are left out; what is no step has no name. Fails where undo steps are no
 * list. Escaped characters in inputs, which Postgres can't always unescape (NUL, halves of surrogate pairs), are blanked for it.
 */
export const censusSql = `${groups}
UNION ALL
SELECT 'undo', t.saga, t.definition_version, NULL, NULL, step.name, NULL, count(*)
FROM orchestrator.instance t CROSS JOIN LATERAL (
  SELECT CASE WHEN each.value ->> 'status' IS NOT NULL THEN each.value ->> 'name' END AS name, each.value ->> 'status' AS status
  FROM json_array_elements(regexp_replace(t.undo, '\\\\u[0-9a-fA-F]{4}', '\\\\u0020', 'g')::json) each
) step
WHERE t.ended_at IS NULL AND t.undo <> '[]' AND (step.name IS NULL OR step.status NOT IN ('done', 'kept', 'skipped', 'resolved'))
GROUP BY t.saga, t.definition_version, step.name`;

/** As {@link censusSql}, without undo steps. */
export const censusGroupsSql = groups;

/** Undo steps of instances that haven't ended, page by page. */
export const censusUndoSql = `
SELECT tenant, saga, id, definition_version AS "definitionVersion", undo FROM orchestrator.instance
WHERE ended_at IS NULL AND undo <> '[]' AND (id, saga, tenant) > ($1::text, $2::text, $3::text)
ORDER BY id, saga, tenant LIMIT $4::int`;
