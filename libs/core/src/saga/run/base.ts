import type { CurrentInstance, HistoryRecord, InstanceRef, SagaStatus } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { Change } from './build-commit.js';
import { standing, type Standing } from './decision.js';
import type { Restored } from './step.js';
import type { Stimulus } from './stimulus.js';
import { NO_TIMER_CHANGES } from './timer-changes.js';
import type { UndoLog } from './undo-log.js';

/** What is known before anything ran. */
export interface Base extends Restored {
  readonly saga: CompiledSaga;
  readonly ref: InstanceRef;
  readonly instance: CurrentInstance | null;
  readonly stimulus: Stimulus;
  readonly undo: UndoLog;
}

/** A line of history, but for the message that it is of. */
export type Line = Omit<HistoryRecord, 'messageId'>;

/** A change that leaves state and data as they are. */
export function unchanged(base: Base, outcome: string, name: string): Change {
  const status: SagaStatus = base.instance?.status ?? 'running';
  return {
    ...base,
    data: base.instance?.data ?? 'null',
    standing: standing(status, base.undo),
    hold: null,
    outcome,
    history: [{ kind: outcome, name, from: base.instance?.state ?? null, to: null, detail: null }],
    work: [],
    timers: NO_TIMER_CHANGES,
    keys: [],
    reply: null,
    defer: false,
  };
}

/** One line for each undo step that begins. */
export function undoLines({ next }: Standing): readonly Line[] {
  return next.map(({ name }) => ({ kind: 'undo-started', name, from: null, to: null, detail: null }));
}
