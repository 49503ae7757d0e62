import type {
  ArchivedInstance,
  InstanceRef,
  KeyRecord,
  RemoveRequest,
  StoredHistory,
} from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { historySql } from '../instance/history.sql.js';
import { keysSql } from '../instance/keys.sql.js';
import { load } from '../instance/load.js';
import { archivedSql, removeSql } from './remove.sql.js';

/** Removes an instance. What is archived was read before: it is the truth if the version is still the one that was read. */
export async function remove(database: Database, request: RemoveRequest): Promise<'removed' | 'conflict'> {
  const { now, ref, expectedVersion, archive } = request;
  const record = archive ? await recordOf(database, ref, expectedVersion) : null;
  if (archive && record === null) return 'conflict';
  const values = [now, ref.tenant, ref.saga, ref.id, expectedVersion, record];
  const { rows } = await database.run<{ removed: number }>(database.statement('remove', removeSql), values);
  return rows[0]?.removed === 1 ? 'removed' : 'conflict';
}

/** An archived instance, as it was. */
export async function archived(
  database: Database,
  { tenant, saga, id }: InstanceRef,
): Promise<ArchivedInstance | null> {
  const { rows } = await database.run<{ record: string; archivedAt: number }>(
    database.statement('archived', archivedSql),
    [tenant, saga, id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const record = JSON.parse(row.record) as Omit<ArchivedInstance, 'archivedAt'>;
  return { ...record, archivedAt: row.archivedAt };
}

export async function keysOf(
  database: Database,
  { tenant, saga, id }: InstanceRef,
): Promise<readonly KeyRecord[]> {
  return (await database.run<KeyRecord>(database.statement('keys', keysSql), [tenant, saga, id])).rows;
}

async function recordOf(database: Database, ref: InstanceRef, version: number): Promise<string | null> {
  const { tenant, saga, id } = ref;
  const [found] = await load(database, [{ tenant, saga, by: { id }, messageId: '' }]);
  const instance = found?.instance ?? null;
  if (instance?.version !== version) return null;
  const { rows: history } = await database.run<StoredHistory>(database.statement('history', historySql), [
    tenant,
    saga,
    id,
  ]);
  return JSON.stringify({ instance, keys: await keysOf(database, ref), history });
}
