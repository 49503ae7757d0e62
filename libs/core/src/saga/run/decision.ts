import type { SagaStatus } from '../../ports/records.js';
import { hashedId } from '../../message/hashed-id.js';
import type { WorkRecord } from '../../ports/records.js';
import { undoDestination } from '../../bus/routes.js';
import type { UndoEntry, UndoLog } from './undo-log.js';
import type { UndoWork } from './stimulus.js';
import { toJson } from '../../message/json.js';

/** How an instance stands after a step, and the undo step to run next. */
export interface Standing {
  readonly status: SagaStatus;
  readonly undo: UndoLog;
  readonly next: UndoEntry | undefined;
}

/** Takes up the next undo step, or finds that all are done. Pure. */
export function proceedUndo(undo: UndoLog): Standing {
  const next = undo.next();
  if (next === undefined) return { status: 'compensated', undo, next: undefined };
  return { status: 'compensating', undo: undo.with(next.no, 'running'), next };
}

/** Statuses in which nothing further is going to happen by itself, and nothing is left to do. */
export function hasEnded(status: SagaStatus): boolean {
  return (
    status === 'completed' ||
    status === 'compensated' ||
    status === 'cancelled' ||
    status === 'partially-compensated'
  );
}

/** The row that runs an undo step. */
export function undoWork(saga: string, tenant: string, payload: UndoWork): WorkRecord {
  return {
    tenant,
    destination: undoDestination(saga),
    id: undoId(payload.instance, payload.no),
    lane: null,
    payload: toJson(payload, `compensation '${payload.name}'`),
    delayMs: 0,
  };
}

/** Id of an undo step: the idempotency key of its handler and the message id of its outcome. */
export function undoId(instance: string, no: number): string {
  return hashedId(instance, 'undo', String(no));
}
