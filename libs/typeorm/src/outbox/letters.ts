import type { DeadLetter, DeadLetterFilter, SettleRequest } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { deadLettersSql } from './dead-letters.sql.js';
import { settleSql } from './settle.sql.js';

interface Row extends Omit<DeadLetter, 'settled'> {
  readonly verb: 'replayed' | 'discarded' | null;
  readonly by: string | null;
  readonly because: string | null;
  readonly settledAt: number | null;
}

const LETTER = /^\d{1,18}$/;

/** What was given up, newest first. */
export async function deadLetters(
  database: Database,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetter[]> {
  const { tenant, destination, settled, before, limit } = filter;
  if (before !== undefined && !LETTER.test(before)) {
    throw new RangeError(
      `"${before}" is not the \`letter\` of a dead letter: list again without \`before\`.`,
    );
  }
  const values = [tenant ?? null, destination ?? null, settled ?? false, before ?? null, limit ?? null];
  const { rows } = await database.run<Row>(database.statement('dead_letters', deadLettersSql), values);
  return rows.map(deadLetter);
}

/** Settles an open letter; whether it was. */
export async function settleDeadLetter(database: Database, request: SettleRequest): Promise<boolean> {
  const { now, tenant, letter, settlement, work } = request;
  if (!LETTER.test(letter)) return false;
  const { verb, by, reason } = settlement;
  const { rows } = await database.run<{ settled: number }>(database.statement('settle_letter', settleSql), [
    ...[now, tenant, letter, verb, by, reason],
    ...(work === null
      ? [null, null, null, null, 0]
      : [work.destination, work.id, work.lane, work.payload, work.delayMs]),
  ]);
  return rows[0]?.settled === 1;
}

function deadLetter(row: Row): DeadLetter {
  const { verb, by, because, settledAt, ...letter } = row;
  const isSettled = verb !== null && by !== null && because !== null && settledAt !== null;
  return { ...letter, settled: isSettled ? { verb, by, reason: because, at: settledAt } : null };
}
