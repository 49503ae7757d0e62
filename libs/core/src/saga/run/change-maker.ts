import type { Snapshot } from '@nestjs-orchestrator/statechart';
import type { Addressing } from '../../bus/outgoing.js';
import { noReply } from '../../bus/request/reply-work.js';
import { HandlerError } from '../../handling/handler-errors.js';
import { hashedId } from '../../message/hashed-id.js';
import { toJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import type { Clock } from '../../ports/clock.js';
import type {
  CurrentInstance,
  HistoryRecord,
  InstanceRef,
  SagaStatus,
  WorkRecord,
} from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { UnexpectedEventError } from '../saga-errors.js';
import type { Change } from './build-commit.js';
import { checkData, checkUndo } from './check-values.js';
import { proceedUndo, type Standing } from './decision.js';
import { freezeMessage } from './freeze-message.js';
import type { MacrostepResult } from './macrostep.js';
import { Recording } from '../../handling/recording.js';
import { runCause, snapshotOf, stateName, timerIsCurrent, type StepLimits } from './step.js';
import type { Cause, Stimulus } from './stimulus.js';
import { UndoLog } from './undo-log.js';

type Line = Omit<HistoryRecord, 'messageId'>;
type MessageOrTimer = Exclude<Cause, { kind: 'undone' }>;
const NO_TIMERS: Change['timers'] = { arm: new Map(), disarm: new Set() };

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
    const snapshot = snapshotOf(saga, instance);
    const undo = instance === null ? UndoLog.empty : UndoLog.parse(instance.undo);
    const base: Base = { saga, instance, stimulus, snapshot, undo, ref: refOf(saga, instance, stimulus) };
    const { cause } = stimulus;
    if (cause.kind === 'undone') return undoOutcome(base, cause);
    if (cause.kind === 'timer' && (!timerIsCurrent(saga, snapshot, cause) || isOver(instance))) return null;
    if (isOver(instance)) return unchanged(base, 'late', causeName(cause));
    return this.run(base, cause);
  }

  private async run(base: Base, cause: MessageOrTimer): Promise<Change | null> {
    const { saga, ref, stimulus, snapshot } = base;
    const recording = new Recording([ref.id, stimulus.messageId]);
    const result = await runCause(saga, snapshot, cause, {
      id: ref.id,
      tenant: ref.tenant,
      messageId: stimulus.messageId,
      recording,
      clock: this.clock,
      timeoutMs: this.limits.handlerTimeoutMs,
    });
    if (!result.answered) return unanswered(base, cause);
    if (cause.kind === 'timer' && recording.answer !== null)
      throw new HandlerError(`reply() was called for ${cause.payload.label}, which nobody asked.`);
    const undo = base.undo.record(await checkUndo(saga, recording.undo, this.limits.maxPayload));
    const standing = standingAfter(base, result, undo);
    return {
      ...base,
      snapshot: result.snapshot,
      data: await checkData(saga, result.snapshot.context, this.limits.maxPayload),
      standing,
      outcome: 'applied',
      history: [moveLine(base, result.snapshot, cause), ...undoLines(standing)],
      work: await this.effects(base, cause, recording),
      timers: result,
      reply: await this.addressing.replies.text(recording.answer),
      defer: false,
    };
  }

  private effects(
    { ref, stimulus }: Base,
    cause: MessageOrTimer,
    recording: Recording,
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

/** What is known before anything ran. */
interface Base {
  readonly saga: CompiledSaga;
  readonly ref: InstanceRef;
  readonly instance: CurrentInstance | null;
  readonly stimulus: Stimulus;
  readonly snapshot: Snapshot;
  readonly undo: UndoLog;
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

function unanswered(base: Base, cause: MessageOrTimer): Change | null {
  if (cause.kind === 'timer') return null;
  const { unanswered: policy, name } = base.saga.definition;
  const state = base.instance?.state ?? null;
  if (policy === 'fault') throw new UnexpectedEventError(name, cause.envelope.name, state);
  if (policy === 'ignore') return unchanged(base, 'ignored', cause.envelope.name);
  // A delivery that is still unanswered stays where it is.
  return cause.delivery ? null : { ...unchanged(base, 'deferred', cause.envelope.name), defer: true };
}

function undoOutcome(base: Base, cause: Extract<Cause, { kind: 'undone' }>): Change | null {
  const running = base.undo.running();
  if (running === undefined || running.no !== cause.no) return null;
  const failed = cause.error !== undefined;
  const undo = base.undo.with(cause.no, failed ? 'failed' : 'done', cause.error);
  const standing: Standing = failed
    ? { status: 'compensation-failed', undo, next: undefined }
    : proceedUndo(undo);
  const line: Line = {
    kind: failed ? 'undo-failed' : 'undone',
    name: cause.name,
    from: null,
    to: null,
    detail: failed ? toJson({ error: cause.error }, 'undo error') : null,
  };
  return { ...unchanged(base, 'applied', cause.name), standing, history: [line, ...undoLines(standing)] };
}

/** A change that leaves state and data as they are. */
function unchanged(base: Base, outcome: string, name: string): Change {
  const status: SagaStatus = base.instance?.status ?? 'running';
  return {
    ...base,
    data: base.instance?.data ?? 'null',
    standing: { status, undo: base.undo, next: undefined },
    outcome,
    history: [{ kind: outcome, name, from: base.instance?.state ?? null, to: null, detail: null }],
    work: [],
    timers: NO_TIMERS,
    reply: null,
    defer: false,
  };
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

function undoLines({ next }: Standing): readonly Line[] {
  return next === undefined
    ? []
    : [{ kind: 'undo-started', name: next.name, from: null, to: null, detail: null }];
}

function causeName(cause: MessageOrTimer): string {
  return cause.kind === 'message' ? cause.envelope.name : cause.payload.label;
}
