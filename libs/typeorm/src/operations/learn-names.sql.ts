/** In one order, so that nodes that start together wait for each other in a row. */
export const learnNamesSql = `
WITH added AS (
  INSERT INTO orchestrator.saga_name (saga, version, kind, name)
  SELECT DISTINCT saga, version, kind, name
  FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS given (saga, version, kind, name)
  ORDER BY saga, version, kind, name
  ON CONFLICT DO NOTHING
  RETURNING saga, version, kind, name
)
SELECT saga, version, kind, name FROM orchestrator.saga_name WHERE saga = ANY ($1)
UNION
SELECT saga, version, kind, name FROM added`;
