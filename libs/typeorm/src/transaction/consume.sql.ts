import { INSTANT } from '../database/fragments.js';

/** Marks a message as consumed; no row if it was. Waits for another transaction that is about to do the same. */
export const consumeSql = `
WITH ${INSTANT}
INSERT INTO orchestrator.consumed (tenant, destination, message_id, outcome, at)
SELECT $2, $3, $4, $5, ms FROM instant
ON CONFLICT (tenant, destination, message_id) DO NOTHING
RETURNING 1`;
