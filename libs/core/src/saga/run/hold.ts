import type { ErrorText } from '../../errors/error-text.js';
import type { Envelope } from '../../message/envelope.js';
import { parseJson, toJson } from '../../message/json.js';
import type { Commit } from '../../ports/instance-store.js';
import type {
  CurrentInstance,
  DeliveryRecord,
  HistoryRecord,
  InboxRecord,
  SagaStatus,
} from '../../ports/records.js';
import { sagaDestination } from '../../bus/routes.js';
import type { SagaWork, Stimulus, TimerPayload, UndoneCause } from './stimulus.js';
import { UndoLog } from './undo-log.js';

/** What made an instance be held. */
export type HoldReason = 'poison' | 'undo' | 'version' | 'operator';

/** A message or timer that is kept for its replay. */
export type HeldCause = { readonly kind: 'message'; readonly envelope: Envelope } | HeldTimer;

/** A timer that fired, or failed, while its instance was held. */
export interface HeldTimer {
  readonly kind: 'timer';
  readonly name: string;
  readonly token: string;
  readonly payload: TimerPayload;
  readonly dueAt: number;
}

/** Why an instance is held, and what waits for its replay. */
export interface Hold {
  /** How it stood before. */
  readonly was: SagaStatus;
  readonly why: HoldReason;
  readonly error: ErrorText | null;
  /** How often the poison was tried. */
  readonly attempts: number;
  /** What can't be handled. */
  readonly poison: HeldCause | null;
  /** Timers whose time came meanwhile. */
  readonly timers: readonly HeldTimer[];
  /** Numbers of undo steps that no build could run: their rows are gone, so that they are begun again when the instance goes on. */
  readonly unrun?: readonly number[];
}

/** How long messages wait for a held instance: as long as it takes. */
const HELD_PATIENCE_MS = 10 * 365 * 86_400_000;
/** The hold of an instance as stored; `null`: it is not held. */
export function readHold(instance: Pick<CurrentInstance, 'hold'>): Hold | null {
  return instance.hold === null ? null : (parseJson(instance.hold) as Hold);
}

/** A hold as it is stored. */
export function holdText(hold: Hold): string {
  return toJson(hold, 'hold');
}

/** Holds an instance: with its poison, if a stimulus is it. Says nothing of its machine, so it can hold what no definition can read. */
export function holdCommit(
  instance: CurrentInstance,
  stimulus: Stimulus,
  hold: Pick<Hold, 'why' | 'error' | 'attempts'> & { readonly poison: boolean },
): Commit {
  const { why, error, attempts } = hold;
  const poison = hold.poison ? heldCause(stimulus) : null;
  const lost = stimulus.cause.kind === 'undone' && stimulus.cause.unrun === true ? [stimulus.cause.no] : [];
  const unrun = lost.length === 0 ? {} : { unrun: lost };
  const text = holdText({ was: instance.status, why, error, attempts, poison, timers: [], ...unrun });
  const detail = toJson({ why, error, attempts }, 'hold');
  const { messageId, cause } = stimulus;
  // What is no poison is handled after this, as whatever comes for a held instance.
  return rawCommit(instance, hold.poison ? stimulus : { ...stimulus, work: null }, {
    next: { status: 'held', hold: text },
    line: { kind: 'held', name: causeName(stimulus), detail },
    inbox: hold.poison ? { messageId, outcome: 'held', reply: null } : null,
    done: hold.poison && cause.kind === 'message' && cause.delivery ? [messageId] : [],
    keepsTimer: !hold.poison,
  });
}

/** What comes for a held instance waits; `null`: there is nothing to change. */
export function whileHeld(instance: CurrentInstance, stimulus: Stimulus): Commit | null {
  const { cause, messageId } = stimulus;
  if (cause.kind === 'message') {
    if (cause.delivery) return null;
    const payload = toJson(cause.envelope, 'held message');
    return rawCommit(instance, stimulus, {
      next: {},
      line: { kind: 'deferred', name: cause.envelope.name, detail: null },
      inbox: { messageId, outcome: 'deferred', reply: null },
      add: [{ messageId, payload, ttlMs: HELD_PATIENCE_MS }],
    });
  }
  if (cause.kind === 'timer') {
    const hold = readHold(instance);
    const timer = heldCause(stimulus);
    if (hold === null || timer?.kind !== 'timer') return null;
    return rawCommit(instance, stimulus, {
      next: { hold: holdText({ ...hold, timers: [...hold.timers, timer] }) },
      line: { kind: 'deferred', name: cause.payload.label, detail: null },
      // It comes again under the same id, when the instance goes on.
      inbox: null,
    });
  }
  return cause.kind === 'undone' ? undoneWhileHeld(instance, stimulus, cause) : null;
}

/** A step that was under way when its instance was held: its outcome is kept, and nothing further is started. */
function undoneWhileHeld(
  instance: CurrentInstance,
  stimulus: Stimulus,
  { no, name, round, error, unrun }: UndoneCause,
): Commit | null {
  const undo = UndoLog.parse(instance.undo);
  const entry = undo.find(no);
  if (entry === undefined || entry.status !== 'running' || (entry.round ?? 0) !== round) return null;
  if (unrun === true) return unrunWhileHeld(instance, stimulus, { no, name });
  const after = undo.with(no, error === undefined ? { status: 'done' } : { status: 'failed', error });
  return rawCommit(instance, stimulus, {
    next: { undo: after.toJson() },
    line: { kind: error === undefined ? 'undone' : 'undo-failed', name, detail: null },
    inbox: { messageId: stimulus.messageId, outcome: 'applied', reply: null },
  });
}

/** A step that nobody could run waits with its instance. */
function unrunWhileHeld(
  instance: CurrentInstance,
  stimulus: Stimulus,
  { no, name }: Pick<UndoneCause, 'no' | 'name'>,
): Commit | null {
  const hold = readHold(instance);
  if (hold === null || hold.unrun?.includes(no) === true) return null;
  return rawCommit(instance, stimulus, {
    next: { hold: holdText({ ...hold, unrun: [...(hold.unrun ?? []), no] }) },
    line: { kind: 'deferred', name, detail: null },
    inbox: null,
  });
}

/** Makes a delivery an ordinary message again, which fails as such. */
export function ejectCommit(instance: CurrentInstance, stimulus: Stimulus, envelope: Envelope): Commit {
  const { tenant, saga } = instance;
  const payload: SagaWork = { kind: 'message', envelope, replay: true };
  const raw = rawCommit(instance, stimulus, {
    next: {},
    line: { kind: 'ejected', name: envelope.name, detail: null },
    inbox: null,
    done: [envelope.id],
  });
  const text = toJson(payload, `message '${envelope.name}'`);
  const row = { tenant, destination: sagaDestination(saga), id: envelope.id, lane: null, payload: text };
  return { ...raw, work: [{ ...row, delayMs: 0 }] };
}

interface RawChange {
  readonly next: Partial<Commit['next']>;
  readonly line: Pick<HistoryRecord, 'kind' | 'name' | 'detail'>;
  readonly inbox: InboxRecord | null;
  readonly add?: readonly DeliveryRecord[];
  readonly done?: readonly string[];
  /** The timer that it is of is still to be handled. */
  readonly keepsTimer?: boolean;
}

/** A commit that leaves the machine as it lies in the store. */
export function rawCommit(
  instance: CurrentInstance,
  stimulus: Pick<Stimulus, 'messageId' | 'work'> & Partial<Pick<Stimulus, 'cause'>>,
  change: RawChange,
): Commit {
  const { tenant, saga, id, version } = instance;
  const { definitionVersion, state, status, data, machine, undo, hold, ended } = instance;
  const { messageId, cause, work } = stimulus;
  return {
    ref: { tenant, saga, id },
    expectedVersion: version,
    lease: null,
    supersedes: null,
    next: { definitionVersion, state, status, data, machine, undo, hold, ended, ...change.next },
    keys: [],
    inbox: change.inbox,
    work: [],
    timers: { arm: [], disarm: cause?.kind === 'timer' && change.keepsTimer !== true ? [cause.name] : [] },
    history: [{ ...change.line, messageId, from: state, to: null }],
    deliveries: { add: change.add ?? [], done: change.done ?? [] },
    wakeIfParked: null,
    done: work === null ? [] : [work],
  };
}

function heldCause({ cause }: Stimulus): HeldCause | null {
  if (cause.kind === 'message') return { kind: 'message', envelope: cause.envelope };
  if (cause.kind !== 'timer') return null;
  const { name, token, payload, dueAt } = cause;
  return { kind: 'timer', name, token, payload, dueAt };
}

function causeName({ cause }: Stimulus): string {
  if (cause.kind === 'message') return cause.envelope.name;
  return cause.kind === 'timer' ? cause.payload.label : cause.kind;
}
