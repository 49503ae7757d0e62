import { asIfOne } from '../database/fragments.js';

/** Removes rows; `followed`: one of them had another row behind it in its lane, which can be claimed now. */
export const completeWorkSql = `
WITH removed AS MATERIALIZED (
  DELETE FROM orchestrator.outbox o
  USING (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS d (tenant, destination, id) WHERE ${asIfOne('d.id')}
    ORDER BY tenant COLLATE "C", destination COLLATE "C", id COLLATE "C"
  ) d
  WHERE o.tenant = d.tenant AND o.destination = d.destination AND o.id = d.id
  RETURNING o.seq, o.tenant, o.destination, o.lane
)
SELECT EXISTS (
  SELECT FROM removed r WHERE r.lane IS NOT NULL AND EXISTS (
    SELECT FROM orchestrator.outbox o
    WHERE o.tenant = r.tenant AND o.destination = r.destination AND o.lane = r.lane
      AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0
  )
) AS followed`;
