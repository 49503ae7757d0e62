import type { Snapshot } from '@nestjs-orchestrator/statechart';
import { toJson } from '../../message/json.js';
import type { Commit } from '../../ports/instance-store.js';
import type { CurrentInstance, HistoryRecord, InstanceRef, WorkRecord } from '../../ports/records.js';
import { sagaDestination } from '../../bus/routes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { hasEnded, undoWork, type Standing } from './decision.js';
import { machineText, stateName } from './step.js';
import type { MacrostepResult } from './macrostep.js';
import type { SagaWork, Stimulus, TimerPayload } from './stimulus.js';

/** Everything that one handled stimulus comes to. */
export interface Change {
  readonly saga: CompiledSaga;
  readonly ref: InstanceRef;
  /** As loaded or last committed; `null`: it is created. */
  readonly instance: CurrentInstance | null;
  readonly stimulus: Stimulus;
  readonly snapshot: Snapshot;
  /** The data, checked, as JSON. */
  readonly data: string;
  readonly standing: Standing;
  readonly outcome: string;
  readonly history: readonly Omit<HistoryRecord, 'messageId'>[];
  readonly work: readonly WorkRecord[];
  readonly timers: Pick<MacrostepResult, 'arm' | 'disarm'>;
  /** What its handlers replied to the message, as JSON. */
  readonly reply: string | null;
  /** The message waits as a delivery of this instance from now on. */
  readonly defer: boolean;
}

/** The commit of a change. Pure. */
export function buildCommit(change: Change): Commit {
  const { ref, instance, stimulus } = change;
  const version = instance?.version ?? 0;
  const next = nextState(change);
  return {
    ref,
    expectedVersion: version,
    lease: null,
    supersedes: null,
    next,
    keys: instance === null ? [stimulus.key] : [],
    inbox: { messageId: stimulus.messageId, outcome: change.outcome, reply: change.reply },
    // What waits may be answered in the new state, whatever becomes of this node.
    work: [
      ...change.work,
      ...nextUndo(change),
      ...(mustWake(change, next) ? [wakeWork(change, version + 1)] : []),
    ],
    timers: timerChanges(change),
    history: change.history.map((line) => ({ ...line, messageId: stimulus.messageId })),
    deliveries: deliveryChanges(change),
    wakeIfParked: instance === null ? wakeWork(change, 1) : null,
    done: stimulus.work === null ? [] : [stimulus.work],
  };
}

/** Deliveries that wait are tried again after each change of state. */
function mustWake({ instance }: Change, next: Commit['next']): boolean {
  if (instance === null || instance.openDeliveries === 0) return false;
  return instance.state !== next.state || instance.status !== next.status;
}

function nextState({ saga, snapshot, standing, data }: Change): Commit['next'] {
  return {
    definitionVersion: saga.definition.version,
    state: stateName(saga, snapshot),
    status: standing.status,
    data,
    machine: machineText(saga, snapshot),
    undo: standing.undo.toJson(),
    hold: null,
    ended: hasEnded(standing.status),
  };
}

function nextUndo({ saga, ref, stimulus, standing }: Change): readonly WorkRecord[] {
  const { next } = standing;
  if (next === undefined) return [];
  return [
    undoWork(saga.definition.name, ref.tenant, {
      key: stimulus.key,
      instance: ref.id,
      definitionVersion: saga.definition.version,
      no: next.no,
      name: next.name,
      input: next.input,
    }),
  ];
}

function wakeWork({ saga, ref, stimulus }: Change, version: number): WorkRecord {
  const payload: SagaWork = { kind: 'wake', tenant: ref.tenant, key: stimulus.key };
  return {
    tenant: ref.tenant,
    destination: sagaDestination(saga.definition.name),
    id: `wake:${ref.id}:${version}`,
    lane: null,
    payload: toJson(payload, 'wake-up'),
    delayMs: 0,
  };
}

function timerChanges({ ref, stimulus, timers }: Change): Commit['timers'] {
  const fired = stimulus.cause.kind === 'timer' ? [stimulus.cause.name] : [];
  const arm = [...timers.arm.values()].map((effect) => {
    const payload: TimerPayload = {
      key: stimulus.key,
      node: effect.node,
      epoch: effect.epoch,
      event: effect.event.type,
      label: `after ${effect.delay} ms`,
    };
    return {
      ...ref,
      name: effect.id,
      token: String(effect.epoch),
      delayMs: effect.delay,
      payload: toJson(payload, 'timer'),
    };
  });
  const disarm = [...new Set([...timers.disarm, ...fired])].filter((name) => !timers.arm.has(name));
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
