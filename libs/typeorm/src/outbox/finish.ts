import type { Finish, FinishResult, WorkKey, WriteOptions } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { halving } from '../database/halving.js';
import { columns } from '../database/statement.js';
import { withClearLanes, type Draft } from './clear-lanes.js';
import { consumedSql, finishSql } from './finish.sql.js';
import { keyColumns } from './outbox.js';

interface Row {
  /** Number of a winner, from 1; `null` in the only row if nobody has won. */
  readonly n: number | null;
  readonly leased: boolean;
  readonly followed: boolean;
}

interface Entry {
  readonly place: number;
  readonly item: Finish;
}

const REPEATED: FinishResult = { outcome: 'repeated' };

/** Consumes messages, coalesced; see `finishSql`. `claimable`: others may find work now that nobody holds. */
export async function finish(
  database: Database,
  items: readonly Finish[],
  options: WriteOptions,
): Promise<{ readonly results: readonly (FinishResult | Error)[]; readonly claimable: boolean }> {
  const results: (FinishResult | Error)[] = items.map(() => REPEATED);
  let claimable = false;
  const statement = database.statement('finish', finishSql);
  const together = async (entries: readonly Entry[]): Promise<void> => {
    const { rows } = await database.runBatch<Row>(statement, finishParameters(entries, options));
    claimable ||= rows[0]?.followed ?? false;
    for (const { n, leased } of rows) {
      const entry = n === null ? undefined : entries[n - 1];
      if (entry === undefined) continue;
      results[entry.place] = { outcome: 'finished', leased };
      claimable ||= entry.item.work.some(({ delayMs }) => !leased || delayMs > 0);
    }
  };
  if (items.length > 0) {
    const entries = items.map((item, place) => ({ place, item }));
    await halving(entries, together, ({ place }, error) => {
      results[place] = error instanceof Error ? error : new Error(String(error));
    });
  }
  return { results, claimable };
}

/** With which outcomes messages were consumed, in the order asked. */
export async function consumed(
  database: Database,
  messages: readonly WorkKey[],
): Promise<readonly (string | null)[]> {
  if (messages.length === 0) return [];
  const statement = database.statement('consumed', consumedSql);
  const { rows } = await database.runBatch<{ readonly outcome: string | null }>(
    statement,
    keyColumns(messages),
  );
  return rows.map((row) => row.outcome);
}

/** The parameters of `finishSql`, in its order. Pure. */
function finishParameters(entries: readonly Entry[], { now, owner, leaseMs }: WriteOptions): unknown[] {
  const drafts = entries.flatMap(({ item }, index): Draft[] =>
    item.work.map((record) => ({ entry: index + 1, record, wake: false })),
  );
  return [
    now,
    owner,
    leaseMs,
    entries.map((_, index) => index + 1),
    ...keyColumns(entries.map(({ item }) => item.message)),
    entries.map(({ item }) => item.outcome),
    ...columns(
      withClearLanes(drafts),
      ({ entry }) => entry,
      ({ clear }) => clear,
      ({ record }) => record.tenant,
      ({ record }) => record.destination,
      ({ record }) => record.id,
      ({ record }) => record.lane,
      ({ record }) => record.payload,
      ({ record }) => record.delayMs,
    ),
  ];
}
