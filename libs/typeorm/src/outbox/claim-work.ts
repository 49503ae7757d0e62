import type { Claimed, ClaimedWork, ClaimRequest } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { claimWorkSql } from './claim-work.sql.js';

interface Row extends ClaimedWork {
  readonly nextDueMs: number | null;
}

/** Leases what can be done next, oldest first. */
export async function claimWork(database: Database, request: ClaimRequest): Promise<Claimed<ClaimedWork>> {
  const { now, owner, leaseMs, destinations, limit } = request;
  const statement = database.statement('claim_work', claimWorkSql);
  const values = [now, owner, leaseMs, destinations, limit];
  const { rows } = await database.run<Row | { readonly id: null; readonly nextDueMs: number | null }>(
    statement,
    values,
  );
  const items = rows.flatMap((row) => (row.id === null ? [] : [claimedWork(row)]));
  return { items, nextDueMs: rows[0]?.nextDueMs ?? null };
}

function claimedWork({ tenant, destination, id, lane, payload, delayMs, attempts }: Row): ClaimedWork {
  return { tenant, destination, id, lane, payload, delayMs, attempts };
}
