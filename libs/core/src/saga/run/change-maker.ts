import { withContext, type Snapshot } from '@nestjs-orchestrator/statechart';
import type { Addressing } from '../../bus/outgoing.js';
import { noReply } from '../../bus/request/reply-work.js';
import { throwTellable } from '../../errors/tellable.js';
import { HandlerError } from '../../handling/handler-errors.js';
import { hashedId } from '../../message/hashed-id.js';
import type { Envelope } from '../../message/envelope.js';
import { checkMessage } from '../../message/message.js';
import type { Clock } from '../../ports/clock.js';
import type { CurrentInstance, InstanceRef, WorkRecord } from '../../ports/records.js';
import type { CompiledHandler, CompiledSaga } from '../compile/compiled-saga.js';
import { SagaConflictError } from '../saga-errors.js';
import type { SagaPhase } from '../states.js';
import { notesAfter, notesWith, standingAfter } from './after-step.js';
import { unchanged, undoLines, type Base } from './base.js';
import type { Change } from './build-commit.js';
import { standingAfterLate } from './late-standing.js';
import type { OperatorCause } from '../operator/operator-cause.js';
import {
  auditedOnly,
  operatorChange,
  poisonStimulus,
  releasedChange,
  type OperatedBase,
} from '../operator/operator-change.js';
import { OperatorRefusedError } from '../operator/operator-errors.js';
import { checkData, checkUndo } from './check-values.js';
import type { RecordedUndo } from '../../handling/recording.js';
import { hasEnded } from './decision.js';
import { freezeMessage } from './freeze-message.js';
import { readHold } from './hold.js';
import { causeName, moveLine } from './move-line.js';
import { callHandler, type HandlerScene } from './call-handler.js';
import { SagaRecording } from './saga-recording.js';
import { orOtherBuilds } from './other-build.js';
import { renamedTimer, restored, runCause, sceneOf, timerIsCurrent, type StepLimits } from './step.js';
import type { ActivityCause, Cause, MessageOrTimer, Stimulus, UndoneCause } from './stimulus.js';
import { invocationsAfter, isAwaited, lateOutcome } from './activity-outcome.js';
import { answeredStep, undoAnswer, undoOutcome } from './undo-outcome.js';
import { unanswered } from './unanswered.js';
import { UndoLog } from './undo-log.js';

type MessageCause = Extract<Cause, { kind: 'message' }>;
type TimerCause = Extract<Cause, { kind: 'timer' }>;

/** Decides what a stimulus does to an instance: runs handlers, but writes nothing. */
export class ChangeMaker {
  constructor(
    private readonly addressing: Addressing,
    private readonly clock: Clock,
    private readonly limits: StepLimits,
  ) {}

  /**
   * The stimulus that a stored delivery is.
   *
   * @throws MessageValidationError for one whose class has another schema by now; SagaOtherBuildError, SagaEventUnknownError for one of another build
   */
  async delivered(
    saga: CompiledSaga,
    at: Pick<Stimulus, 'tenant' | 'key'>,
    envelope: Envelope,
  ): Promise<Stimulus> {
    const message = await this.readMessage(saga, envelope);
    return {
      tenant: at.tenant,
      key: at.key,
      messageId: envelope.id,
      work: null,
      cause: { kind: 'message', envelope, message, delivery: true },
    };
  }

  private async readMessage(saga: CompiledSaga, envelope: Envelope): Promise<object> {
    try {
      const message = freezeMessage(saga, envelope);
      await checkMessage(message);
      return message;
    } catch (error) {
      const waited = { since: envelope.sentAt, now: this.clock.now() };
      throw orOtherBuilds(saga.definition, envelope, waited, error);
    }
  }

  /** `null`: there is nothing to change (a timer whose stay is over, an outcome that is known). */
  async make(
    saga: CompiledSaga,
    instance: CurrentInstance | null,
    stimulus: Stimulus,
  ): Promise<Change | null> {
    const change = await this.decide(saga, instance, stimulus).catch(throwTellable);
    if (change === null || stimulus.cause.kind !== 'message' || change.defer) return change;
    const answer = this.answer(change, stimulus.cause.envelope);
    return answer.length === 0 ? change : { ...change, work: [...change.work, ...answer] };
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
    const { snapshot, notes } = restored(saga, instance);
    const base: Base = {
      saga,
      instance,
      stimulus,
      snapshot,
      notes,
      undo: instance === null ? UndoLog.empty : UndoLog.parse(instance.undo),
      ref: refOf(saga, instance, stimulus),
    };
    const { cause } = stimulus;
    if (cause.kind === 'undone') return undoOutcome(base, cause, await this.undoEffects(base, cause));
    if (cause.kind === 'activity') return this.outcome(base, cause);
    if (cause.kind === 'operator') return this.operated(base, cause);
    return cause.kind === 'timer' ? this.fired(base, cause) : this.told(base, cause);
  }

  private async outcome(base: Base, cause: ActivityCause): Promise<Change | null> {
    if (!isAwaited(base.notes, base.instance, cause))
      return lateOutcome(base, cause, await this.undoOf(base.saga, cause));
    return this.run(base, cause);
  }

  private async fired(base: Base, cause: TimerCause): Promise<Change | null> {
    const timer = renamedTimer(base, cause);
    if (isOver(base.instance) || !timerIsCurrent(base.saga, base, timer)) return null;
    return this.run(base, timer);
  }

  private async told(base: Base, cause: MessageCause): Promise<Change | null> {
    const answered = answeredStep(base, cause);
    if (answered !== undefined) return undoAnswer(base, answered, cause.envelope.name);
    return isOver(base.instance) ? this.late(base, cause) : this.run(base, cause);
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
    const next = standingAfter(base, result, base.undo.record(steps, pivotAt));
    const after = notesAfter(base, result, recording);
    const invocations = await invocationsAfter(base, result.snapshot, after.notes, recording, this.limits);
    // Field by field: an object of so many that is spread from others is a hash table to the engine, slow to make and to read.
    return {
      saga,
      ref,
      instance: base.instance,
      stimulus,
      snapshot: result.snapshot,
      notes: notesWith(after.notes, invocations.awaited),
      timers: after.timers,
      keys: recording.keys,
      data: await checkData(saga, result.snapshot.context, this.limits.maxPayload),
      standing: next,
      hold: null,
      outcome: 'applied',
      history: [moveLine(base, result.snapshot, cause), ...undoLines(next)],
      work: [...(await this.effects(base, cause, recording)), ...invocations.work],
      reply: await this.addressing.replies.text(recording.answer),
      defer: false,
    };
  }

  /** While an instance is undone, or after its end, nothing moves it; what was declared for that phase may still be done. */
  private async late(base: Base, cause: MessageCause): Promise<Change> {
    const { saga, instance, ref, stimulus } = base;
    const phase = hasEnded((instance as CurrentInstance).status) ? 'ended' : 'compensating';
    const handler = lateAnswer(saga, phase, cause, base.snapshot);
    if (handler === undefined) return unchanged(base, 'late', causeName(cause));
    const recording = new SagaRecording([ref.id, stimulus.messageId], saga.definition, phase);
    const scene = sceneOf(saga, cause, this.scene(base, recording));
    const { data } = await callHandler(scene, handler, base.snapshot.context);
    const steps = await checkUndo(saga, recording.undo, this.limits.maxPayload);
    const after = standingAfterLate(base, steps);
    const calm = unchanged(base, 'applied', causeName(cause));
    return {
      ...calm,
      data: phase === 'ended' ? calm.data : await checkData(saga, data, this.limits.maxPayload),
      standing: after,
      history: [moveLine(base, base.snapshot, cause), ...undoLines(after)],
      work: await this.effects(base, cause, recording),
      reply: await this.addressing.replies.text(recording.answer),
    };
  }

  /** How an activity is undone, checked; nothing where it need not be, or never began. */
  private undoOf(saga: CompiledSaga, { undo, outcome }: ActivityCause): Promise<readonly RecordedUndo[]> {
    const began = outcome.kind !== 'cancelled' || outcome.begun;
    return checkUndo(saga, began && undo !== undefined ? [undo] : [], this.limits.maxPayload);
  }

  private async operated(base: Base, cause: OperatorCause): Promise<Change | null> {
    const { instance, saga } = base;
    if (instance?.id !== cause.instance)
      throw new OperatorRefusedError(cause.verb, cause.instance, 'there is no such instance any more.');
    const operated = { ...base, instance };
    if (cause.verb === 'save') return this.saved(operated, cause);
    const hold = cause.verb === 'replay' ? readHold(instance) : null;
    const poison = hold === null ? null : poisonStimulus(base, hold);
    if (hold === null || poison === null) return operatorChange(operated, cause);
    // As if it had never been held; the commit is the operator's.
    const revived = { ...instance, status: hold.was, hold: null };
    const change = await this.make(saga, revived, thawed(saga, poison));
    const calm = { ...unchanged({ ...base, instance: revived }, 'applied', cause.verb), stimulus: poison };
    const { messageId } = base.stimulus;
    return {
      ...releasedChange(operated, cause, hold, change ?? { ...calm, history: [] }),
      instance,
      inbox: { messageId, outcome: 'applied', reply: null },
    };
  }

  private async saved(base: OperatedBase, cause: OperatorCause): Promise<Change> {
    const { saga, instance } = base;
    if (instance.version !== cause.version) throw new SagaConflictError(saga.definition.name, 1);
    const data = await checkData(saga, cause.data, this.limits.maxPayload);
    return { ...auditedOnly(base, cause), snapshot: withContext(base.snapshot, cause.data), data };
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

  /** The work that the commands of an undo step come to; they are no handler's, so they have no order among others. */
  private undoEffects({ ref, stimulus }: Base, { outgoing }: UndoneCause): Promise<WorkRecord[]> {
    return this.addressing.effects(outgoing, {
      tenant: ref.tenant,
      correlationId: ref.id,
      causationId: stimulus.messageId,
      sender: ref.id,
      lane: null,
    });
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

/** A stored message as handlers get it. */
function thawed(saga: CompiledSaga, stimulus: Stimulus): Stimulus {
  const { cause } = stimulus;
  if (cause.kind !== 'message') return stimulus;
  return { ...stimulus, cause: { ...cause, message: freezeMessage(saga, cause.envelope) } };
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
