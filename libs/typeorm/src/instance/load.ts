import type { LoadRequest, LoadResult } from '@nestjs-orchestrator/core/ports';
import type { QueryAnswer } from '../database/client.js';
import type { Database } from '../database/database.js';
import { columns, type Statement } from '../database/statement.js';
import { storedInstance, type InstanceRow } from './instance-row.js';
import { loadSql } from './load.sql.js';

interface Row extends Omit<InstanceRow, 'id'> {
  readonly n: number;
  /** `null`: there is no such instance, and the rest of it is null as well. */
  readonly id: string | null;
  readonly outcome: string | null;
  readonly reply: string | null;
  readonly tombstoneId: string | null;
  readonly tombstoneStarts: readonly (string | null)[] | null;
}

const NOTHING: LoadResult = { instance: null, seen: null, tombstone: null };

/** Runs a prepared statement, on whatever connection. */
export type Run = <Row>(statement: Statement, values: unknown[]) => Promise<QueryAnswer<Row>>;

/** One answer per request, in order. */
export async function load(
  database: Database,
  requests: readonly LoadRequest[],
  run: Run = (statement, values) => database.runBatch(statement, values),
): Promise<readonly LoadResult[]> {
  const results = requests.map(() => NOTHING);
  const asked = requests.map((request, n) => ({ n, request })).filter(({ request }) => canExist(request));
  if (asked.length === 0) return results;
  const { rows } = await run<Row>(database.statement('load', loadSql), loadParameters(asked));
  for (const row of rows) results[row.n] = loadResult(row, requests[row.n]?.messageId ?? '');
  return results;
}

/** No text in Postgres has a NUL, and asking for one would fail the requests beside it. */
function canExist({ tenant, saga, by, messageId }: LoadRequest): boolean {
  const names = 'key' in by ? [by.key.name, by.key.value] : [by.id];
  return ![tenant, saga, messageId, ...names].some((text) => text.includes('\0'));
}

function loadParameters(asked: readonly { readonly n: number; readonly request: LoadRequest }[]): unknown[] {
  return columns(
    asked,
    ({ n }) => n,
    ({ request }) => request.tenant,
    ({ request }) => request.saga,
    ({ request: { by } }) => ('id' in by ? by.id : null),
    ({ request: { by } }) => ('key' in by ? by.key.name : null),
    ({ request: { by } }) => ('key' in by ? by.key.value : null),
    ({ request }) => request.messageId,
  );
}

function loadResult(row: Row, messageId: string): LoadResult {
  const { id, outcome, reply, tombstoneId, tombstoneStarts } = row;
  const starts = (tombstoneStarts ?? []).filter((start) => start !== null);
  return {
    instance: id === null ? null : storedInstance({ ...row, id }),
    seen: outcome === null ? null : { messageId, outcome, reply },
    tombstone: tombstoneId === null ? null : { id: tombstoneId, starts },
  };
}
