import type { SagaStatus } from '../../ports/records.js';
import { hashedId } from '../../message/hashed-id.js';
import type { WorkRecord } from '../../ports/records.js';
import { undoDestination } from '../../bus/routes.js';
import type { UndoEntry, UndoLog } from './undo-log.js';
import type { UndoWork } from './stimulus.js';
import { toJson } from '../../message/json.js';

/** How an instance stands after a step, and the undo steps to run next. */
export interface Standing {
  readonly status: SagaStatus;
  readonly undo: UndoLog;
  readonly next: readonly UndoEntry[];
}

/** An instance that goes on as it stands. */
export function standing(status: SagaStatus, undo: UndoLog): Standing {
  return { status, undo, next: [] };
}

/** Takes up the next undo steps when those before are over, or finds that all are. Pure. */
export function proceedUndo(undo: UndoLog): Standing {
  if (undo.has('running', 'awaiting')) return standing('compensating', undo);
  const next = undo.next();
  if (next.length > 0) return startUndo(undo, next);
  // What an activity did is undone by itself, but it is to be undone all the same.
  if (undo.hasAny('running', 'awaiting')) return standing('compensating', undo);
  return standing(undo.hasAny('failed', 'skipped') ? 'partially-compensated' : 'compensated', undo);
}

/** Starts these steps. Pure. */
export function startUndo(undo: UndoLog, steps: readonly UndoEntry[]): Standing {
  const running = steps.reduce((log, { no }) => log.with(no, { status: 'running' }), undo);
  const next = steps.map(({ no }) => running.find(no)).filter((entry) => entry !== undefined);
  return { status: 'compensating', undo: running, next };
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

/** The row that runs an undo step, or, after `delayMs`, finds that its answer has not come. */
export function undoWork(saga: string, tenant: string, payload: UndoWork, delayMs = 0): WorkRecord {
  const id = undoRunId(payload.instance, payload.no, payload.round ?? 0);
  return {
    tenant,
    destination: undoDestination(saga),
    id: payload.expired === true ? `${id}:expired` : id,
    lane: null,
    payload: toJson(payload, `compensation '${payload.name}'`),
    delayMs,
  };
}

/** Id of an undo step: the idempotency key of its handler. */
export function undoId(instance: string, no: number): string {
  return hashedId(instance, 'undo', String(no));
}

/** Id of one round of an undo step: its row's, and the message id of its outcome. */
export function undoRunId(instance: string, no: number, round: number): string {
  return round === 0 ? undoId(instance, no) : hashedId(instance, 'undo', String(no), String(round));
}
