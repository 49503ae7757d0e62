import type { DeadLetter, DeadLetterFilter, SettleRequest } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';
import { deadLettersSqls } from './dead-letters.sql.js';
import { settleSql } from './settle.sql.js';

interface Row extends Omit<DeadLetter, 'settled'> {
  readonly verb: 'replayed' | 'discarded' | null;
  readonly by: string | null;
  readonly because: string | null;
  readonly settledAt: number | null;
}

const LETTER = /^\d{1,18}$/;
/** Behind every letter. */
const END = '9223372036854775807';

/** What was given up, newest first. */
export async function deadLetters(
  database: Database,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetter[]> {
  const { before = END, limit = null } = filter;
  if (before !== END && !LETTER.test(before)) {
    throw new RangeError(
      `"${before}" is not the \`letter\` of a dead letter: list again without \`before\`.`,
    );
  }
  const { rows } = await database.run<Row>(listingFor(database, filter), [before, limit, ...askedOf(filter)]);
  return rows.map(deadLetter);
}

function listingFor(
  database: Database,
  { tenant, destination, settled = false }: DeadLetterFilter,
): Statement {
  const standing = settled ? 'settled' : 'open';
  const byTenant = destination === undefined ? 'tenant' : 'both';
  const byNone = destination === undefined ? 'all' : 'destination';
  const asked = tenant === undefined ? byNone : byTenant;
  return database.statement(`dead_letters_${standing}_${asked}`, deadLettersSqls[standing][asked]);
}

function askedOf({ tenant, destination }: DeadLetterFilter): readonly string[] {
  return [tenant, destination].filter((asked) => asked !== undefined);
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
