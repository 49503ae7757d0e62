import {
  dehydrate,
  type Dehydrated,
  initialMicrostep,
  isCurrent,
  rehydrate,
  stateValue,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { parseJson, toJson } from '../../message/json.js';
import type { CurrentInstance } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { callHandler, type HandlerScene } from './call-handler.js';
import { macrostep, type MacrostepResult } from './macrostep.js';
import type { Cause } from './stimulus.js';

/** Limits of what user code may do in one step. */
export interface StepLimits {
  readonly handlerTimeoutMs: number;
  readonly maxPayload: number;
}

/** The engine's snapshot of a stored instance; of one that is about to be, where there is none. */
export function snapshotOf(saga: CompiledSaga, instance: CurrentInstance | null): Snapshot {
  if (instance === null) return initialMicrostep(saga.machine, undefined).snapshot;
  return rehydrate(saga.machine, parseJson(instance.machine) as Dehydrated, parseJson(instance.data));
}

/** Whether a timer's stay in its state is still going on. */
export function timerIsCurrent(
  saga: CompiledSaga,
  snapshot: Snapshot,
  cause: Extract<Cause, { kind: 'timer' }>,
): boolean {
  return isCurrent(saga.machine, snapshot, { node: cause.payload.node, epoch: cause.payload.epoch });
}

/** Runs a message or timer against an instance, on a private copy of its data. Changes nothing stored. */
export function runCause(
  saga: CompiledSaga,
  snapshot: Snapshot,
  cause: Exclude<Cause, { kind: 'undone' }>,
  scene: Omit<HandlerScene, 'event' | 'instant' | 'saga'>,
): Promise<MacrostepResult> {
  const message = cause.kind === 'message' ? cause.message : undefined;
  const full: HandlerScene = {
    ...scene,
    saga,
    event: message,
    instant: cause.kind === 'message' ? cause.envelope.sentAt : cause.dueAt,
  };
  const event =
    cause.kind === 'message' ? { type: cause.envelope.name, message } : { type: cause.payload.event };
  return macrostep(saga, snapshot, event, (handler, draft) => callHandler(full, handler, draft));
}

/** Name of the state for queries and people: nested states are joined by dots. */
export function stateName(saga: CompiledSaga, snapshot: Snapshot): string {
  const value: unknown = stateValue(saga.machine, snapshot);
  return typeof value === 'string' ? value : flatten(value);
}

/** The engine's part of a snapshot, as stored. */
export function machineText(saga: CompiledSaga, snapshot: Snapshot): string {
  return toJson(dehydrate(saga.machine, snapshot), `snapshot of saga '${saga.definition.name}'`);
}

function flatten(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : '';
  return Object.entries(value)
    .map(([key, inner]: [string, unknown]) => (isLeaf(inner) ? key : `${key}.${flatten(inner)}`))
    .join('|');
}

function isLeaf(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
