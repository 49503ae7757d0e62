import type { Snapshot } from '@nestjs-orchestrator/statechart';
import type { RecordedUndo } from '../../handling/recording.js';
import type { CurrentInstance } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { Base } from './base.js';
import { hasEnded, proceedUndo, standing, type Standing } from './decision.js';
import { stateName } from './step.js';

/** Undo steps that a late answer has recorded are run as well; those that a success kept stay kept. */
export function standingAfterLate(
  { saga, instance, undo, snapshot }: Base,
  steps: readonly RecordedUndo[],
): Standing {
  const { status } = instance as CurrentInstance;
  if (steps.length === 0) return standing(status, undo);
  const kept = isSuccess(saga, snapshot) && hasEnded(status) ? undo.kept() : undo;
  const more = kept.record(steps);
  return hasEnded(status) ? proceedUndo(more) : standing(status, more);
}

/** Whether an instance has come to an end that keeps what was done. */
export function isSuccess(saga: CompiledSaga, snapshot: Snapshot): boolean {
  return saga.definition.ends[stateName(saga, snapshot)] === 'success';
}
