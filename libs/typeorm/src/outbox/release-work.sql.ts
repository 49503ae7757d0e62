import { after, INSTANT } from '../database/fragments.js';

/** Gives a row back, to be claimed after a delay. `dead::int` keeps the planner from the index of claimable rows. */
export const releaseWorkSql = `
WITH ${INSTANT}
UPDATE orchestrator.outbox SET owner = NULL, claimable_at = ${after('$2::float8')}, reason = $3,
  attempts = greatest(0, attempts - $7::int)
WHERE tenant = $4 AND destination = $5 AND id = $6 AND dead::int = 0`;
