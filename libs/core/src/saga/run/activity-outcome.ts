import { matches, type Snapshot } from '@nestjs-orchestrator/statechart';
import { activityWork, invocationId, type RecordedInvocation } from '../activity/activity-work.js';
import { HandlerError } from '../../handling/handler-errors.js';
import type { RecordedUndo } from '../../handling/recording.js';
import { toJson } from '../../message/json.js';
import type { CurrentInstance, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { unchanged, undoLines, type Base } from './base.js';
import type { Change } from './build-commit.js';
import { checkValue } from './check-values.js';
import { standingAfterLate } from './late-standing.js';
import { undoWork } from './decision.js';
import type { Notes } from './notes.js';
import type { SagaRecording } from './saga-recording.js';
import type { StepLimits } from './step.js';
import type { ActivityCause } from './stimulus.js';

/** Whether the state that asked for an activity is still there. */
export function isAwaited(
  notes: Notes,
  instance: CurrentInstance | null,
  { invocation, outcome }: ActivityCause,
): boolean {
  return instance?.status === 'running' && outcome.kind !== 'cancelled' && notes.invocations.has(invocation);
}

/** What is waited for after a step, and the rows of what it asks for. */
export async function invocationsAfter(
  { saga, ref, stimulus }: Base,
  snapshot: Snapshot,
  { invocations, key }: Notes,
  recording: SagaRecording,
  { maxPayload }: StepLimits,
): Promise<{ readonly awaited: Notes['invocations']; readonly work: readonly WorkRecord[] }> {
  const { cause, messageId } = stimulus;
  const over = snapshot.status === 'done';
  if (invocations.size + recording.invocations.length === 0) return { awaited: invocations, work: [] };
  const awaited = new Map([...invocations].filter(([, path]) => !over && !recording.left.has(path)));
  if (cause.kind === 'activity') awaited.delete(cause.invocation);
  const work: WorkRecord[] = [];
  for (const [ordinal, invocation] of recording.invocations.entries()) {
    const { name, input, undo } = invocation;
    await checkValue(inputSchema(saga, name), input, `input of activity '${name}'`);
    const id = invocationId(ref.id, messageId, ordinal);
    awaited.set(id, waitingState(saga, snapshot, invocation));
    const payload = {
      key: key === undefined ? stimulus.key : { name: saga.definition.correlateBy, value: key },
      instance: ref.id,
      definitionVersion: saga.definition.version,
      invocation: id,
      name,
      input,
      ...(undo === undefined ? {} : { undo }),
    };
    work.push(activityWork(saga.definition.name, ref.tenant, payload, maxPayload));
  }
  return { awaited, work };
}

function inputSchema({ definition }: CompiledSaga, name: string) {
  const activity = definition.activities.get(name);
  if (activity === undefined) throw new HandlerError(`'${name}' is no activity of this saga.`);
  return activity.input;
}

/** The innermost active state that answers the outcome: with its stay the invocation ends. */
function waitingState(saga: CompiledSaga, snapshot: Snapshot, { name }: RecordedInvocation): string {
  const paths = saga.answering.get(name) ?? [];
  const path = snapshot.status === 'done' ? undefined : paths.find((each) => matches(snapshot, each));
  if (path !== undefined) return path;
  throw new HandlerError(
    `Activity '${name}' was invoked, but no active state answers its outcome. It is answered in: ${paths.join(', ')}. ` +
      `Invoke it in a handler that leads there.`,
  );
}

/** An outcome that nobody waits for is recorded, and what it did is undone as declared. */
export function lateOutcome(base: Base, cause: ActivityCause, steps: readonly RecordedUndo[]): Change {
  const calm = unchanged(base, 'late', cause.name);
  const line = {
    kind: `activity-${cause.outcome.kind === 'cancelled' ? 'cancelled' : 'late'}`,
    name: cause.name,
    from: base.instance?.state ?? null,
    to: null,
    detail: toJson({ outcome: cause.outcome.kind, attempts: cause.attempts }, 'outcome'),
  };
  const [step] = steps;
  if (step === undefined || base.instance?.status !== 'running') {
    const standing = standingAfterLate(base, steps);
    return { ...calm, standing, history: [line, ...undoLines(standing)] };
  }
  const { log, entry } = base.undo.detach(step);
  const { saga, ref, stimulus } = base;
  const row = undoWork(saga.definition.name, ref.tenant, {
    key: stimulus.key,
    instance: ref.id,
    definitionVersion: saga.definition.version,
    no: entry.no,
    name: entry.name,
    input: entry.input,
  });
  return {
    ...calm,
    standing: { ...calm.standing, undo: log },
    history: [line, ...undoLines({ ...calm.standing, next: [entry] })],
    work: [row],
  };
}

/** Every guard has said no: the outcome is over, and what it did is remembered. */
export function unansweredOutcome(base: Base, { name, invocation, undo }: ActivityCause): Change {
  const invocations = new Map(base.notes.invocations);
  invocations.delete(invocation);
  const calm = unchanged(base, 'ignored', name);
  const log = undo === undefined ? base.undo : base.undo.record([undo]);
  return { ...calm, notes: { ...base.notes, invocations }, standing: { ...calm.standing, undo: log } };
}
