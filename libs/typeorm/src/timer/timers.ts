import type {
  AtInstant,
  Claimed,
  ClaimRequest,
  DueTimer,
  InstanceRef,
} from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { claimTimersSql } from './claim-timers.sql.js';
import { dropTimerSql, releaseTimerSql } from './timer-tokens.sql.js';

/** Names one arming of a timer. */
export type TimerToken = InstanceRef & { readonly name: string; readonly token: string };

interface Row extends DueTimer {
  readonly nextDueMs: number | null;
}

export async function claimTimers(database: Database, request: ClaimRequest): Promise<Claimed<DueTimer>> {
  const { now, leaseMs, destinations, limit } = request;
  const statement = database.statement('claim_timers', claimTimersSql);
  const values = [now, leaseMs, destinations, limit];
  const { rows } = await database.run<Row | { readonly id: null; readonly nextDueMs: number | null }>(
    statement,
    values,
  );
  const items = rows.flatMap((row) => (row.id === null ? [] : [dueTimer(row)]));
  return { items, nextDueMs: rows[0]?.nextDueMs ?? null };
}

export async function dropTimer(database: Database, timer: TimerToken): Promise<void> {
  await database.run(database.statement('drop_timer', dropTimerSql), tokenValues(timer));
}

export async function releaseTimer(
  database: Database,
  timer: TimerToken,
  delayMs: number,
  { now }: AtInstant,
): Promise<void> {
  const statement = database.statement('release_timer', releaseTimerSql);
  await database.run(statement, [now, delayMs, ...tokenValues(timer)]);
}

function tokenValues({ tenant, saga, id, name, token }: TimerToken): unknown[] {
  return [tenant, saga, id, name, token];
}

function dueTimer(row: Row): DueTimer {
  const { tenant, saga, id, name, token, delayMs, payload, attempts, dueAt } = row;
  return { tenant, saga, id, name, token, delayMs, payload, attempts, dueAt };
}
