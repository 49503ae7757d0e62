import type { AtInstant, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { columns } from '../database/statement.js';
import { withClearLanes } from './clear-lanes.js';

/** What `enqueueSql` answers. */
export interface EnqueueRow {
  readonly leased: boolean | null;
  readonly added: number;
}

/** Parameters of `enqueueSql`; `lease` is `null` for work that nobody holds at first. Pure. */
export function enqueueParameters(
  work: readonly WorkRecord[],
  { now }: AtInstant,
  lease: { readonly owner: string; readonly leaseMs: number } | null,
): unknown[] {
  const rows = withClearLanes(work.map((record) => ({ entry: 0, record, wake: false })));
  return [
    now,
    lease?.owner ?? null,
    lease?.leaseMs ?? 0,
    ...columns(
      rows,
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

/** Whether others may find work now that nobody holds. */
export function leftToOthers(work: readonly WorkRecord[], { leased, added }: EnqueueRow): boolean {
  return added > 0 && (leased !== true || work.some(({ delayMs }) => delayMs > 0));
}
