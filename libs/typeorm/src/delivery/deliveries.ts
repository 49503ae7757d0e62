import type { AtInstant, DeliveryRecord, InstanceRef } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { deliveriesSql } from './deliveries.sql.js';
import { expireSql } from './expire.sql.js';

/** How many are expired in one statement; more would hold their locks for too long. */
const BATCH = 1_000;

export async function openDeliveries(
  database: Database,
  { tenant, saga, id }: InstanceRef,
): Promise<readonly DeliveryRecord[]> {
  const statement = database.statement('deliveries', deliveriesSql);
  return (await database.run<DeliveryRecord>(statement, [tenant, saga, id])).rows;
}

/** Expires batch after batch; how many. */
export async function expireDeliveries(database: Database, { now }: AtInstant): Promise<number> {
  const statement = database.statement('expire_deliveries', expireSql);
  let expired = 0;
  for (;;) {
    const { rows } = await database.run<{ expired: number }>(statement, [now, BATCH]);
    const batch = rows[0]?.expired ?? 0;
    expired += batch;
    if (batch < BATCH) return expired;
  }
}
