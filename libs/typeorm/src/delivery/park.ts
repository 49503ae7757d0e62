import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { AtInstant, ParkRequest, ParkResult } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import type { Run } from '../instance/load.js';
import { columns } from '../database/statement.js';
import { parkSql } from './park.sql.js';

interface Row {
  readonly n: number;
  readonly followed: boolean;
}

/** What became of the requests of one call. */
export interface Parked {
  readonly results: readonly ParkResult[];
  /** A removed row had another one behind it, which can be claimed now. */
  readonly claimable: boolean;
}

/** Parks messages in one statement. If that fails, one by one, so that a request that Postgres refuses fails no other. */
export async function park(
  database: Database,
  requests: readonly ParkRequest[],
  at: AtInstant,
): Promise<Parked> {
  const run: Run = (statement, values) => database.runBatch(statement, values);
  if (requests.length === 0) return { results: [], claimable: false };
  try {
    return await parkTogether(database, requests, at, run);
  } catch (error) {
    if (requests.length === 1 || error instanceof StoreUnavailableError) throw error;
  }
  // All are tried before the first failure is told: whoever asks again finds the others parked already.
  const all = await Promise.allSettled(requests.map((request) => parkTogether(database, [request], at, run)));
  const done = all.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  return {
    results: done.flatMap(({ results }) => results),
    claimable: done.some(({ claimable }) => claimable),
  };
}

/** Parks messages in one statement, which may be one of a transaction: that is over when it fails. */
export async function parkTogether(
  database: Database,
  requests: readonly ParkRequest[],
  { now }: AtInstant,
  run: Run,
): Promise<Parked> {
  const statement = database.statement('park', parkSql);
  const { rows } = await run<Row>(statement, [now, ...parkParameters(requests)]);
  const results = requests.map((): ParkResult => 'present');
  for (const { n } of rows) results[n] = 'parked';
  return { results, claimable: rows[0]?.followed ?? false };
}

function parkParameters(requests: readonly ParkRequest[]): unknown[] {
  const numbered = requests.map((it, n) => ({ n, it }));
  return [
    ...columns(
      numbered,
      ({ n }) => n,
      ({ it }) => it.tenant,
      ({ it }) => it.saga,
      ({ it }) => it.key.name,
      ({ it }) => it.key.value,
      ({ it }) => it.delivery.messageId,
      ({ it }) => it.delivery.payload,
      ({ it }) => it.delivery.ttlMs,
    ),
    ...columns(
      numbered.flatMap(({ n, it }) => it.done.map((key) => ({ n, key }))),
      ({ n }) => n,
      ({ key }) => key.tenant,
      ({ key }) => key.destination,
      ({ key }) => key.id,
    ),
  ];
}
