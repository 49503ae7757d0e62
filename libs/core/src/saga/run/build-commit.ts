import type { Snapshot } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../message/json.js';
import type { Commit } from '../../ports/instance-store.js';
import type {
  CurrentInstance,
  HistoryRecord,
  InboxRecord,
  InstanceRef,
  KeyClaim,
  KeyRecord,
  WorkKey,
  WorkRecord,
} from '../../ports/records.js';
import { sagaDestination } from '../../bus/routes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { hasEnded, undoWork, type Standing } from './decision.js';
import { machineText, stateName } from './step.js';
import { holdText, type Hold } from './hold.js';
import type { Notes } from './notes.js';
import type { SagaWork, Stimulus, TimerPayload } from './stimulus.js';
import type { TimerChanges } from './timer-changes.js';

/** Everything that one handled stimulus comes to. */
export interface Change {
  readonly saga: CompiledSaga;
  readonly ref: InstanceRef;
  /** As loaded or last committed; `null`: it is created. */
  readonly instance: CurrentInstance | null;
  readonly stimulus: Stimulus;
  readonly snapshot: Snapshot;
  readonly notes: Notes;
  /** Further keys that became known. */
  readonly keys: readonly KeyClaim[];
  /** The data, checked, as JSON. */
  readonly data: string;
  readonly standing: Standing;
  /** Set where the instance is held from now on. */
  readonly hold: Hold | null;
  readonly outcome: string;
  readonly history: readonly Omit<HistoryRecord, 'messageId'>[];
  readonly work: readonly WorkRecord[];
  readonly timers: TimerChanges;
  /** What its handlers replied to the message, as JSON. */
  readonly reply: string | null;
  /** What the inbox is told, where that is not of the stimulus. */
  readonly inbox?: InboxRecord;
  /** The message waits as a delivery of this instance from now on. */
  readonly defer: boolean;
}

/** On which terms a change is committed. */
export type Terms = Required<Pick<Commit, 'lease' | 'supersedes' | 'ifUnseen'>>;

/** A load has told the state, and that the message was not seen. */
const LOADED: Terms = { lease: null, supersedes: null, ifUnseen: false };
/** No load has told anything. */
export const UNSEEN: Terms = { lease: null, supersedes: null, ifUnseen: true };

/** A change of an instance that this writer has for itself, if there is a lease. */
export function leased(lease: string | null): Terms {
  return lease === null ? LOADED : { ...LOADED, lease };
}

/** A new instance, in the place of a former one, if there is one. */
export function superseding(former: string | null): Terms {
  return former === null ? LOADED : { ...LOADED, supersedes: former };
}

/** The commit of a change. Pure. */
export function buildCommit(change: Change, { lease, supersedes, ifUnseen }: Terms = LOADED): Commit {
  const { ref, instance, stimulus } = change;
  const version = instance?.version ?? 0;
  const next = nextState(change);
  const keys = instance === null ? [primaryKey(change), ...change.keys] : change.keys;
  const wake = mustWake(change, next);
  return {
    ref,
    expectedVersion: version,
    lease,
    supersedes,
    ifUnseen,
    next,
    keys,
    inbox: change.inbox ?? { messageId: stimulus.messageId, outcome: change.outcome, reply: change.reply },
    // What waits may be answered in the new state, whatever becomes of this node.
    work: [...change.work, ...nextUndo(change), ...(wake ? [wakeWork(change, version + 1)] : [])],
    timers: timerChanges(change),
    history: change.history.map((line) => ofMessage(line, stimulus.messageId)),
    deliveries: deliveryChanges(change),
    wakeIfParked: keys.length > 0 && !wake ? wakeWork(change, version + 1) : null,
    done: doneBy(stimulus),
    consumed: stimulus.answers === undefined ? [] : [stimulus.answers],
  };
}

function ofMessage(
  { kind, name, from, to, detail }: Change['history'][number],
  messageId: string,
): HistoryRecord {
  return { kind, name, messageId, from, to, detail };
}

/** The row that is gone with the commit: the stimulus's own, or that of the message which it answers. */
function doneBy({ work, answers }: Stimulus): readonly WorkKey[] {
  const row = answers === undefined ? work : answers.message;
  return row === null ? [] : [row];
}

/** The key by which the instance is found again, whichever key the message came by. */
function primaryKey({ saga, stimulus, notes }: Change): KeyRecord {
  return notes.key === undefined ? stimulus.key : { name: saga.definition.correlateBy, value: notes.key };
}

/** Deliveries that wait are tried again after each change of state. */
function mustWake({ instance }: Change, next: Commit['next']): boolean {
  if (instance === null || instance.openDeliveries === 0) return false;
  return next.status !== 'held' && (instance.state !== next.state || instance.status !== next.status);
}

function nextState({ saga, snapshot, notes, standing, hold, data }: Change): Commit['next'] {
  return {
    definitionVersion: saga.definition.version,
    state: stateName(saga, snapshot),
    status: standing.status,
    data,
    machine: machineText(saga, snapshot, notes),
    undo: standing.undo.toJson(),
    hold: hold === null ? null : holdText(hold),
    ended: hasEnded(standing.status),
  };
}

function nextUndo(change: Change): readonly WorkRecord[] {
  const { saga, ref, standing } = change;
  return standing.next.map(({ no, name, input, round }) =>
    undoWork(saga.definition.name, ref.tenant, {
      key: primaryKey(change),
      instance: ref.id,
      definitionVersion: saga.definition.version,
      no,
      name,
      input,
      ...(round === undefined ? {} : { round }),
    }),
  );
}

function wakeWork(change: Change, version: number): WorkRecord {
  const { saga, ref } = change;
  return wakeRow(
    saga.definition.name,
    { tenant: ref.tenant, key: primaryKey(change) },
    `${ref.id}:${version}`,
  );
}

/** The row that makes somebody look at an instance's open deliveries; one for each `occasion`. */
export function wakeRow(
  saga: string,
  { tenant, key }: Pick<Stimulus, 'tenant' | 'key'>,
  occasion: string,
): WorkRecord {
  const payload: SagaWork = { kind: 'wake', tenant, key };
  return {
    tenant,
    destination: sagaDestination(saga),
    id: `wake:${occasion}`,
    lane: null,
    payload: toJson(payload, 'wake-up'),
    delayMs: 0,
  };
}

const NO_TIMERS: Commit['timers'] = { arm: [], disarm: [] };

function timerChanges(change: Change): Commit['timers'] {
  const { ref, stimulus, timers } = change;
  const key = primaryKey(change);
  const fired = stimulus.cause.kind === 'timer' ? [stimulus.cause.name] : [];
  if (timers.arm.length + timers.disarm.length + fired.length === 0) return NO_TIMERS;
  const arm = timers.arm.map(({ name, token, delayMs, payload }) => {
    const whole: TimerPayload = { key, ...payload };
    return { ...ref, name, token, delayMs, payload: toJson(whole, 'timer') };
  });
  const armed = new Set(arm.map(({ name }) => name));
  const disarm = [...new Set([...timers.disarm, ...fired])].filter((name) => !armed.has(name));
  return { arm, disarm };
}

function deliveryChanges({ saga, stimulus, defer }: Change): Commit['deliveries'] {
  const { cause, messageId } = stimulus;
  if (cause.kind !== 'message') return { add: [], done: [] };
  if (defer) {
    const payload = toJson(cause.envelope, 'deferred message');
    return { add: [{ messageId, payload, ttlMs: saga.definition.patience }], done: [] };
  }
  return { add: [], done: cause.delivery ? [messageId] : [] };
}
