import type { AtInstant, JsonText, WorkKey, WorkRecord, WriteOptions } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { columns } from '../database/statement.js';
import { beginWorkSql } from './begin-work.sql.js';
import { buryWorkSql } from './bury-work.sql.js';
import { completeWorkSql } from './complete-work.sql.js';
import { enqueueParameters, leftToOthers, type EnqueueRow } from './enqueue.js';
import { enqueueSql } from './enqueue.sql.js';
import { releaseWorkSql } from './release-work.sql.js';
import { renewWorkSql } from './renew-work.sql.js';

/** Adds work; whether it was born leased, and whether others may find work now. */
export async function enqueueWork(
  database: Database,
  work: readonly WorkRecord[],
  options: WriteOptions,
): Promise<{ readonly leased: boolean; readonly claimable: boolean }> {
  if (work.length === 0) return { leased: true, claimable: false };
  const statement = database.statement('enqueue', enqueueSql);
  const { rows } = await database.runBatch<EnqueueRow>(statement, enqueueParameters(work, options, options));
  const [row = { leased: null, added: 0 }] = rows;
  return { leased: row.leased === true, claimable: leftToOthers(work, row) };
}

/** Counts an attempt; `null` if the row isn't the caller's. */
export async function beginWork(
  database: Database,
  { tenant, destination, id }: WorkKey,
  { owner }: WriteOptions,
): Promise<number | null> {
  const statement = database.statement('begin_work', beginWorkSql);
  const { rows } = await database.run<{ attempts: number }>(statement, [tenant, destination, id, owner]);
  return rows[0]?.attempts ?? null;
}

/** Prolongs the caller's leases. */
export async function renewWork(
  database: Database,
  keys: readonly WorkKey[],
  options: WriteOptions,
): Promise<void> {
  if (keys.length === 0) return;
  const { now, owner, leaseMs } = options;
  const statement = database.statement('renew_work', renewWorkSql);
  await database.runBatch(statement, [now, owner, leaseMs, ...keyColumns(keys)]);
}

/** Removes rows; whether others may find work now that was behind them. */
export async function completeWork(database: Database, keys: readonly WorkKey[]): Promise<boolean> {
  if (keys.length === 0) return false;
  const statement = database.statement('complete_work', completeWorkSql);
  const { rows } = await database.runBatch<{ followed: boolean }>(statement, keyColumns(keys));
  return rows[0]?.followed ?? false;
}

export async function releaseWork(
  database: Database,
  { tenant, destination, id }: WorkKey,
  delayMs: number,
  reason: string,
  { now }: AtInstant,
  counted: boolean,
): Promise<void> {
  const statement = database.statement('release_work', releaseWorkSql);
  const back = counted ? 0 : 1;
  await database.run(statement, [now, delayMs, storable(reason), tenant, destination, id, back]);
}

export async function buryWork(
  database: Database,
  { tenant, destination, id }: WorkKey,
  reason: string,
  { now }: AtInstant,
  detail: JsonText | null,
): Promise<void> {
  const statement = database.statement('bury_work', buryWorkSql);
  await database.run(statement, [now, storable(reason), tenant, destination, id, detail]);
}

/** The arrays that name rows of work. */
export function keyColumns(keys: readonly WorkKey[]): unknown[] {
  return columns(
    keys,
    ({ tenant }) => tenant,
    ({ destination }) => destination,
    ({ id }) => id,
  );
}

/** Reasons are messages of errors, which hold anything; a NUL would keep the row from being given back. */
function storable(reason: string): string {
  return reason.replaceAll('\0', '\uFFFD');
}
