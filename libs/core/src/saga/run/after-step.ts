import type { SagaStatus } from '../../ports/records.js';
import type { Base } from './base.js';
import { proceedUndo, standing, type Standing } from './decision.js';
import type { MacrostepResult } from './macrostep.js';
import type { Notes } from './notes.js';
import type { SagaRecording } from './saga-recording.js';
import { stateName } from './step.js';
import { joinedChanges, scheduleStep, type TimerChanges } from './timer-changes.js';
import type { UndoLog } from './undo-log.js';

/** How an instance stands after a step: it goes on, is completed, or is undone from here on. */
export function standingAfter({ saga, instance }: Base, result: MacrostepResult, undo: UndoLog): Standing {
  const status: SagaStatus = instance?.status ?? 'running';
  if (result.snapshot.status !== 'done') return standing(status, undo);
  const end = stateName(saga, result.snapshot);
  return saga.definition.ends[end] === 'undo' ? proceedUndo(undo) : standing('completed', undo);
}

/** What is noted down of an instance after a step, and the timers that the step sets and clears. */
export function notesAfter(
  { saga, ref, stimulus, notes }: Base,
  { snapshot, joined, timers }: MacrostepResult,
  recording: SagaRecording,
): { readonly notes: Notes; readonly timers: TimerChanges } {
  const { cause, messageId } = stimulus;
  const set = new Map(notes.schedules);
  if (cause.kind === 'timer' && cause.payload.schedule !== undefined) set.delete(cause.payload.schedule);
  const over = snapshot.status === 'done';
  const asked = over ? new Map([...set.keys()].map((name) => [name, null] as const)) : recording.schedules;
  const scheduled = scheduleStep(set, asked, [ref.id, messageId]);
  const key = saga.definition.keys.size === 0 ? undefined : (notes.key ?? stimulus.key.value);
  const { invocations, cancelled, renamed } = notes;
  return {
    notes: { key, joined, schedules: scheduled.schedules, invocations, cancelled, renamed },
    timers: joinedChanges(timers, scheduled.timers),
  };
}

export function notesWith(notes: Notes, invocations: Notes['invocations']): Notes {
  return notes.invocations === invocations ? notes : { ...notes, invocations };
}
