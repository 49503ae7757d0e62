import type { InstanceRef, LeaseRequest, LeaseResult } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { leaseSql, unleaseSql } from './lease.sql.js';

interface Row {
  readonly leased: boolean;
  readonly retryMs: number | null;
}

export async function lease(database: Database, request: LeaseRequest): Promise<LeaseResult> {
  const { now, ref, token, leaseMs } = request;
  const values = [now, ref.tenant, ref.saga, ref.id, token, leaseMs];
  const { rows } = await database.run<Row>(database.statement('lease', leaseSql), values);
  const [row] = rows;
  if (row === undefined) return { outcome: 'absent' };
  return row.leased ? { outcome: 'leased' } : { outcome: 'busy', retryMs: row.retryMs ?? 0 };
}

export async function unlease(
  database: Database,
  { tenant, saga, id }: InstanceRef,
  token: string,
): Promise<void> {
  await database.run(database.statement('unlease', unleaseSql), [tenant, saga, id, token]);
}
