import type { WorkKey, WorkRecord, WriteOptions } from '@nestjs-orchestrator/core/ports';
import { enqueueParameters, type EnqueueRow } from './enqueue.js';
import { keyColumns } from './outbox.js';

/** What `handOverSql` answers. */
export interface HandOverRow extends EnqueueRow {
  /** A removed row had another one behind it in its lane. */
  readonly followed: boolean;
}

/** Parameters of `handOverSql`. Pure. */
export function handOverParameters(
  done: readonly WorkKey[],
  work: readonly WorkRecord[],
  options: WriteOptions,
): unknown[] {
  return [...enqueueParameters(work, options, options), ...keyColumns(done)];
}
