import type {
  AtInstant,
  Claimed,
  ClaimRequest,
  DueTimer,
  InstanceRef,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { claimTimersSql } from './claim-timers.sql.js';
import { beginTimerSql, dropTimerSql, releaseTimerSql } from './timer-tokens.sql.js';

/** Names one arming of a timer. */
export type TimerToken = InstanceRef & { readonly name: string; readonly token: string };

interface Row extends DueTimer {
  readonly nextDueMs: number | null;
}

export async function claimTimers(database: Database, request: ClaimRequest): Promise<Claimed<DueTimer>> {
  const { now, owner, leaseMs, destinations, limit } = request;
  const statement = database.statement('claim_timers', claimTimersSql);
  const values = [now, leaseMs, destinations, limit, owner];
  const { rows } = await database.run<Row | { readonly id: null; readonly nextDueMs: number | null }>(
    statement,
    values,
  );
  const items = rows.flatMap((row) => (row.id === null ? [] : [dueTimer(row)]));
  return { items, nextDueMs: rows[0]?.nextDueMs ?? null };
}

/** Counts an attempt; `null` if the timer isn't the caller's. */
export async function beginTimer(
  database: Database,
  timer: TimerToken,
  { owner }: WriteOptions,
): Promise<number | null> {
  const statement = database.statement('begin_timer', beginTimerSql);
  const { rows } = await database.run<{ attempts: number }>(statement, [...tokenValues(timer), owner]);
  return rows[0]?.attempts ?? null;
}

export async function dropTimer(database: Database, timer: TimerToken): Promise<void> {
  await database.run(database.statement('drop_timer', dropTimerSql), tokenValues(timer));
}

export async function releaseTimer(
  database: Database,
  timer: TimerToken,
  delayMs: number,
  { now }: AtInstant,
  counted: boolean,
): Promise<void> {
  const statement = database.statement('release_timer', releaseTimerSql);
  await database.run(statement, [now, delayMs, ...tokenValues(timer), counted ? 0 : 1]);
}

function tokenValues({ tenant, saga, id, name, token }: TimerToken): unknown[] {
  return [tenant, saga, id, name, token];
}

function dueTimer(row: Row): DueTimer {
  const { tenant, saga, id, name, token, delayMs, payload, attempts, suspect, dueAt } = row;
  return { tenant, saga, id, name, token, delayMs, payload, attempts, suspect, dueAt };
}
