import type { Claimed, ClaimedWork, ClaimRequest } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { claimLanesSql, claimWorkSql } from './claim-work.sql.js';

interface Told {
  readonly nextDueMs: number | null;
  /** There are more rows with a lane than were looked at. */
  readonly crowded?: boolean;
}

type Row = Told & (ClaimedWork | { readonly id: null });

/** How many rows with a lane are looked at before lanes are gone through one by one. */
const LOOKED_AT = 400;

/** Leases what can be done next, oldest first. */
export async function claimWork(database: Database, request: ClaimRequest): Promise<Claimed<ClaimedWork>> {
  const { now, owner, leaseMs, destinations, limit } = request;
  const values = (most: number): unknown[] => [now, owner, leaseMs, destinations, most];
  const statement = database.statement('claim_work', claimWorkSql);
  const first = await database.run<Row>(statement, [...values(limit), Math.max(LOOKED_AT, limit * 2)]);
  const claimed = claimedOf(first.rows);
  if (first.rows[0]?.crowded !== true) return claimed;
  const lanes = database.statement('claim_lanes', claimLanesSql);
  const rest = claimedOf((await database.run<Row>(lanes, values(limit - claimed.items.length))).rows);
  return { items: [...claimed.items, ...rest.items], nextDueMs: sooner(claimed.nextDueMs, rest.nextDueMs) };
}

function claimedOf(rows: readonly Row[]): Claimed<ClaimedWork> {
  const items = rows.flatMap((row) => (row.id === null ? [] : [claimedWork(row)]));
  return { items, nextDueMs: rows[0]?.nextDueMs ?? null };
}

function claimedWork({
  tenant,
  destination,
  id,
  lane,
  payload,
  delayMs,
  attempts,
  suspect,
}: ClaimedWork): ClaimedWork {
  return { tenant, destination, id, lane, payload, delayMs, attempts, suspect };
}

function sooner(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
