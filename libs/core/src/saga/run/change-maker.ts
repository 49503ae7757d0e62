import type { Snapshot } from '@nestjs-orchestrator/statechart';
import type { Addressing } from '../../bus/outgoing.js';
import { noReply } from '../../bus/request/reply-work.js';
import { HandlerError } from '../../handling/handler-errors.js';
import { hashedId } from '../../message/hashed-id.js';
import { toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import type { Clock } from '../../ports/clock.js';
import type { CurrentInstance, InstanceRef, SagaStatus, WorkRecord } from '../../ports/records.js';
import type { CompiledHandler, CompiledSaga } from '../compile/compiled-saga.js';
import { UnexpectedEventError } from '../saga-errors.js';
import type { SagaPhase } from '../states.js';
import { unchanged, undoLines, type Base, type Line } from './base.js';
import type { Change } from './build-commit.js';
import { isSuccess, standingAfterLate } from './late-standing.js';
import { checkData, checkUndo } from './check-values.js';
import type { RecordedUndo } from '../../handling/recording.js';
import { hasEnded, proceedUndo, type Standing } from './decision.js';
import { freezeMessage } from './freeze-message.js';
import type { MacrostepResult } from './macrostep.js';
import { callHandler, type HandlerScene } from './call-handler.js';
import type { Notes } from './notes.js';
import { unansweredPolicy } from './policies.js';
import { SagaRecording } from './saga-recording.js';
import { joinedChanges, scheduleStep, type TimerChanges } from './timer-changes.js';
import { restored, runCause, sceneOf, stateName, timerIsCurrent, type StepLimits } from './step.js';
import type { ActivityCause, Cause, Stimulus } from './stimulus.js';
import {
  detachedUndone,
  invocationsAfter,
  isAwaited,
  lateOutcome,
  unansweredOutcome,
} from './activity-outcome.js';
import { UndoLog } from './undo-log.js';

type MessageOrTimer = Exclude<Cause, { kind: 'undone' }>;

/** Decides what a stimulus does to an instance: runs handlers, but writes nothing. */
export class ChangeMaker {
  constructor(
    private readonly addressing: Addressing,
    private readonly clock: Clock,
    private readonly limits: StepLimits,
  ) {}

  /** The stimulus that a stored delivery is. */
  delivered(saga: CompiledSaga, at: Pick<Stimulus, 'tenant' | 'key'>, envelope: Envelope): Stimulus {
    const message = freezeMessage(saga, envelope);
    return {
      tenant: at.tenant,
      key: at.key,
      messageId: envelope.id,
      work: null,
      cause: { kind: 'message', envelope, message, delivery: true },
    };
  }

  /** `null`: there is nothing to change (a timer whose stay is over, an outcome that is known). */
  async make(
    saga: CompiledSaga,
    instance: CurrentInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    const change = await this.decide(saga, instance, stimulus);
    return change === null || stimulus.cause.kind !== 'message' || change.defer
      ? change
      : { ...change, work: [...change.work, ...this.answer(change, stimulus.cause.envelope)] };
  }

  /** The row that tells the asker of a request what became of it. */
  answer({ outcome, reply }: Pick<Change, 'outcome' | 'reply'>, request: Envelope): readonly WorkRecord[] {
    return this.addressing.replies.row(request, reply ?? noReply(outcome));
  }

  private async decide(
    saga: CompiledSaga,
    instance: CurrentInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    const undo = instance === null ? UndoLog.empty : UndoLog.parse(instance.undo);
    const base: Base = {
      saga,
      instance,
      stimulus,
      ...restored(saga, instance),
      undo,
      ref: refOf(saga, instance, stimulus),
    };
    const { cause } = stimulus;
    if (cause.kind === 'undone') return undoOutcome(base, cause);
    if (cause.kind === 'activity' && !isAwaited(base.notes, instance, cause))
      return lateOutcome(base, cause, await this.undoOf(saga, cause));
    if (cause.kind === 'timer' && (!timerIsCurrent(saga, base, cause) || isOver(instance))) return null;
    return isOver(instance) ? this.late(base, cause) : this.run(base, cause);
  }

  private async run(base: Base, cause: MessageOrTimer): Promise<Change | null> {
    const { saga, ref, stimulus, notes } = base;
    const recording = new SagaRecording([ref.id, stimulus.messageId], saga.definition);
    const start = { snapshot: base.snapshot, joined: notes.joined };
    const result = await runCause(saga, start, cause, this.scene(base, recording));
    if (!result.answered) return unanswered(base, cause);
    if (cause.kind !== 'message' && recording.answer !== null)
      throw new HandlerError(`reply() was called for ${causeName(cause)}, which nobody asked.`);
    if (base.instance === null) checkFirstKeys(saga, recording);
    const own = cause.kind === 'activity' ? await this.undoOf(saga, cause) : [];
    const steps = [...own, ...(await checkUndo(saga, recording.undo, this.limits.maxPayload))];
    const pivotAt = recording.pivotAt === undefined ? undefined : recording.pivotAt + own.length;
    const standing = standingAfter(base, result, base.undo.record(steps, pivotAt));
    const after = notesAfter(base, result, recording);
    const invocations = await invocationsAfter(base, result.snapshot, after.notes, recording, this.limits);
    return {
      ...base,
      snapshot: result.snapshot,
      ...after,
      notes: { ...after.notes, invocations: invocations.awaited },
      keys: recording.keys,
      data: await checkData(saga, result.snapshot.context, this.limits.maxPayload),
      standing,
      outcome: 'applied',
      history: [moveLine(base, result.snapshot, cause), ...undoLines(standing)],
      work: [...(await this.effects(base, cause, recording)), ...invocations.work],
      reply: await this.addressing.replies.text(recording.answer),
      defer: false,
    };
  }

  /** While an instance is undone, or after its end, nothing moves it; what was declared for that phase may still be done. */
  private async late(base: Base, cause: MessageOrTimer): Promise<Change> {
    const { saga, instance, ref, stimulus } = base;
    const phase = hasEnded((instance as CurrentInstance).status) ? 'ended' : 'compensating';
    const handler = cause.kind === 'message' ? lateAnswer(saga, phase, cause, base.snapshot) : undefined;
    if (handler === undefined) return unchanged(base, 'late', causeName(cause));
    const recording = new SagaRecording([ref.id, stimulus.messageId], saga.definition, phase);
    const scene = sceneOf(saga, cause, this.scene(base, recording));
    const { data } = await callHandler(scene, handler, base.snapshot.context);
    const steps = await checkUndo(saga, recording.undo, this.limits.maxPayload);
    const standing = standingAfterLate(base, steps);
    const calm = unchanged(base, 'applied', causeName(cause));
    return {
      ...calm,
      data: phase === 'ended' ? calm.data : await checkData(saga, data, this.limits.maxPayload),
      standing,
      history: [moveLine(base, base.snapshot, cause), ...undoLines(standing)],
      work: await this.effects(base, cause, recording),
      reply: await this.addressing.replies.text(recording.answer),
    };
  }

  /** How an activity is undone, checked; nothing where it need not be, or never began. */
  private undoOf(saga: CompiledSaga, { undo, outcome }: ActivityCause): Promise<readonly RecordedUndo[]> {
    const began = outcome.kind !== 'cancelled' || outcome.begun;
    return checkUndo(saga, began && undo !== undefined ? [undo] : [], this.limits.maxPayload);
  }

  private scene(
    { ref, stimulus }: Base,
    recording: SagaRecording,
  ): Omit<HandlerScene, 'event' | 'instant' | 'saga'> {
    return {
      id: ref.id,
      tenant: ref.tenant,
      messageId: stimulus.messageId,
      recording,
      clock: this.clock,
      timeoutMs: this.limits.handlerTimeoutMs,
    };
  }

  private effects(
    { ref, stimulus }: Base,
    cause: MessageOrTimer,
    recording: SagaRecording,
  ): Promise<WorkRecord[]> {
    return this.addressing.effects(recording.outgoing, {
      tenant: ref.tenant,
      correlationId: cause.kind === 'message' ? cause.envelope.correlationId : ref.id,
      causationId: stimulus.messageId,
      sender: ref.id,
      lane: ref.id,
    });
  }
}

/** The id of a new instance follows from its start message, so that a start that runs again is the same start. */
function refOf(
  saga: CompiledSaga,
  instance: CurrentInstance | null,
  { tenant, key, messageId }: Stimulus,
): InstanceRef {
  const { name } = saga.definition;
  if (instance !== null) return { tenant, saga: name, id: instance.id };
  return { tenant, saga: name, id: hashedId('instance', tenant, name, key.name, key.value, messageId) };
}

/** Entered an end: no message changes the state any more, though compensations may still run. */
function isOver(instance: CurrentInstance | null): boolean {
  return instance !== null && instance.status !== 'running';
}

function standingAfter({ saga, instance }: Base, result: MacrostepResult, undo: UndoLog): Standing {
  const status: SagaStatus = instance?.status ?? 'running';
  if (result.snapshot.status !== 'done') return { status, undo, next: undefined };
  const end = stateName(saga, result.snapshot);
  return saga.definition.ends[end] === 'undo'
    ? proceedUndo(undo)
    : { status: 'completed', undo, next: undefined };
}

function notesAfter(
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
  return {
    notes: { ...notes, key, joined, schedules: scheduled.schedules },
    timers: joinedChanges(timers, scheduled.timers),
  };
}

/** Keys of which each instance has one are recorded by whatever starts it. */
function checkFirstKeys({ definition }: CompiledSaga, recording: SagaRecording): void {
  for (const [name, cardinality] of definition.keys) {
    if (cardinality !== 'one' || recording.keys.some((key) => key.name === name)) continue;
    throw new HandlerError(
      `Saga '${definition.name}' was started without a value for its key '${name}', of which each instance has one. ` +
        `Call ctx.correlateWith('${name}', …) in the start handler, or declare the key 'at most one'.`,
    );
  }
}

function unanswered(base: Base, cause: MessageOrTimer): Change | null {
  if (cause.kind === 'timer') return unansweredTimer(base, cause);
  if (cause.kind === 'activity') return unansweredOutcome(base, cause);
  const { definition } = base.saga;
  const { name } = cause.envelope;
  const policy = unansweredPolicy(definition, name);
  const state = base.instance?.state ?? null;
  if (policy === 'fault') throw new UnexpectedEventError(definition.name, name, state);
  if (policy === 'ignore') return unchanged(base, 'ignored', name);
  // A delivery that is still unanswered stays where it is.
  return cause.delivery ? null : { ...unchanged(base, 'deferred', name), defer: true };
}

/** A schedule that the state does not care for is over, too. */
function unansweredTimer(base: Base, { payload }: Extract<Cause, { kind: 'timer' }>): Change | null {
  if (payload.schedule === undefined) return null;
  const schedules = new Map(base.notes.schedules);
  schedules.delete(payload.schedule);
  return { ...unchanged(base, 'ignored', payload.label), notes: { ...base.notes, schedules } };
}

function undoOutcome(base: Base, cause: Extract<Cause, { kind: 'undone' }>): Change | null {
  if (base.undo.detached(cause.no) !== undefined) return detachedUndone(base, cause);
  const running = base.undo.running();
  if (running === undefined || running.no !== cause.no) return null;
  const failed = cause.error !== undefined;
  const undo = base.undo.with(cause.no, failed ? 'failed' : 'done', cause.error);
  const standing: Standing = failed
    ? { status: 'compensation-failed', undo, next: undefined }
    : backToSuccess(base, proceedUndo(undo));
  const line: Line = {
    kind: failed ? 'undo-failed' : 'undone',
    name: cause.name,
    from: null,
    to: null,
    detail: failed ? toJson({ error: cause.error }, 'undo error') : null,
  };
  return { ...unchanged(base, 'applied', cause.name), standing, history: [line, ...undoLines(standing)] };
}

/** What a saga has done late is undone, but its success stands. */
function backToSuccess({ saga, snapshot }: Base, standing: Standing): Standing {
  return standing.next === undefined && isSuccess(saga, snapshot)
    ? { ...standing, status: 'completed' }
    : standing;
}

function moveLine({ saga, instance }: Base, snapshot: Snapshot, cause: MessageOrTimer): Line {
  const to = stateName(saga, snapshot);
  const name = causeName(cause);
  if (instance === null) return { kind: 'created', name, from: null, to, detail: null };
  return {
    kind: to === instance.state ? 'event' : 'transition',
    name,
    from: instance.state,
    to,
    detail: null,
  };
}

/** Who answers a message in that phase, if anybody. */
function lateAnswer(
  saga: CompiledSaga,
  phase: SagaPhase,
  { envelope, message }: Extract<Cause, { kind: 'message' }>,
  { context }: Snapshot,
): CompiledHandler | undefined {
  const answers = saga.late[phase].get(envelope.name) ?? [];
  return answers.find(
    ({ guard }) => guard === undefined || guard({ data: context as object, event: message }),
  )?.handler;
}

function causeName(cause: MessageOrTimer): string {
  if (cause.kind === 'message') return cause.envelope.name;
  return cause.kind === 'timer' ? cause.payload.label : `${cause.name} ${cause.outcome.kind}`;
}
