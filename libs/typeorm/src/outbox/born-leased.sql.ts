import { after } from '../database/fragments.js';

/** Whether nothing undone stands before the new row `f` in its lane. Rows that the statement itself takes out (`removed`) don't count. */
export const LANE_IS_FREE = `(f.clear
    AND (f.lane IS NULL OR f.delay_ms > 0 OR NOT EXISTS (
      SELECT FROM orchestrator.outbox o
      WHERE o.tenant = f.tenant AND o.destination = f.destination AND o.lane = f.lane
        AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0)))`;

/** Whether a row with the key of the new row `f` is there already. Rows that the statement itself takes out (`removed`) don't count. */
export const IS_WRITTEN = `EXISTS (
      SELECT FROM orchestrator.outbox o
      WHERE o.tenant = f.tenant AND o.destination = f.destination AND o.id = f.id
        AND o.seq NOT IN (SELECT seq FROM removed) OFFSET 0)`;

/** Whether a new row `f` may be born leased to its writer. */
export const MAY_BE_LEASED = `${LANE_IS_FREE}
    AND NOT ${IS_WRITTEN}`;

/** Writes the rows of `fresh`; leased to $2 for $3 milliseconds where `leased` says so. */
export const INSERT_FRESH = `INSERT INTO orchestrator.outbox (tenant, destination, id, lane, payload, delay_ms, claimable_at, owner, attempts)
  SELECT tenant, destination, id, lane, payload, delay_ms,
    CASE WHEN leased AND delay_ms <= 0 THEN ${after('$3::float8')} ELSE ${after('delay_ms')} END,
    CASE WHEN leased AND delay_ms <= 0 THEN $2 END,
    CASE WHEN leased AND delay_ms <= 0 THEN 1 ELSE 0 END
  FROM fresh`;

/** {@link INSERT_FRESH}, but for rows that are there already, or come at the same time. */
export const WRITE_FRESH = `${INSERT_FRESH} ORDER BY o
  ON CONFLICT (tenant, destination, id) DO NOTHING`;
