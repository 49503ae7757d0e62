import { after, INSTANT } from '../database/fragments.js';

/** Removes a timer, if it is still the arming that the caller speaks of. */
export const dropTimerSql = `
DELETE FROM orchestrator.timer
WHERE tenant = $1 AND saga = $2 AND instance_id = $3 AND name = $4 AND token = $5`;

/** Counts an attempt of a timer that the caller holds. */
export const beginTimerSql = `
UPDATE orchestrator.timer SET attempts = attempts + 1
WHERE tenant = $1 AND saga = $2 AND instance_id = $3 AND name = $4 AND token = $5 AND owner = $6
RETURNING attempts`;

/** Gives a timer back, to be claimed after a delay. */
export const releaseTimerSql = `
WITH ${INSTANT}
UPDATE orchestrator.timer SET claimable_at = ${after('$2::float8')}, owner = NULL, attempts = greatest(0, attempts - $8::int)
WHERE tenant = $3 AND saga = $4 AND instance_id = $5 AND name = $6 AND token = $7`;
