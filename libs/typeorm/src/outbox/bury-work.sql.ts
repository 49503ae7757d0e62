import { INSTANT } from '../database/fragments.js';

/** Gives a row up. It stays, so that its lane holds behind it, and a dead letter tells of it. `dead::int` keeps the planner from the index of claimable rows. */
export const buryWorkSql = `
WITH ${INSTANT},
buried AS (
  UPDATE orchestrator.outbox SET dead = true, owner = NULL, reason = $2
  WHERE tenant = $3 AND destination = $4 AND id = $5 AND dead::int = 0
  RETURNING tenant, destination, id, payload, attempts
)
INSERT INTO orchestrator.dead_letter (tenant, destination, id, payload, reason, detail, attempts, at)
SELECT tenant, destination, id, payload, $2, $6, attempts, ms FROM buried, instant`;
