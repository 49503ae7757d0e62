import {
  dehydrate,
  type Dehydrated,
  initialMicrostep,
  isCurrent,
  rehydrate,
  stateValue,
  type Machine,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { parseJson, toJson } from '../../message/json.js';
import type { CurrentInstance } from '../../ports/records.js';
import { outcomeEvent } from '../activity/activity-work.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { callHandler, type HandlerScene } from './call-handler.js';
import { macrostep, type MacrostepResult, type MacrostepStart } from './macrostep.js';
import { NO_NOTES, readNotes, storedNotes, type Notes, type StoredNotes } from './notes.js';
import type { Cause, MessageOrTimer } from './stimulus.js';

/** Limits of what user code may do in one step. */
export interface StepLimits {
  readonly handlerTimeoutMs: number;
  readonly maxPayload: number;
}

/** A stored instance as the engine and the saga know it. */
export interface Restored {
  readonly snapshot: Snapshot;
  readonly notes: Notes;
}

/** Takes up a stored instance; one that is about to be, where there is none. */
export function restored(saga: CompiledSaga, instance: CurrentInstance | null): Restored {
  if (instance === null) return { snapshot: beforeStart(saga.machine), notes: NO_NOTES };
  const machine = parseJson(instance.machine) as StoredMachine;
  return {
    snapshot: rehydrate(saga.machine, machine, parseJson(instance.data)),
    notes: readNotes(machine.saga),
  };
}

const starts = new WeakMap<Machine, Snapshot>();

/** Where every instance of a machine begins; no snapshot is ever changed, so all can share it. */
function beforeStart(machine: Machine): Snapshot {
  let start = starts.get(machine);
  if (start === undefined) starts.set(machine, (start = initialMicrostep(machine, undefined).snapshot));
  return start;
}

/** The engine's part and the saga's own, as they lie in the store. */
type StoredMachine = Dehydrated & { readonly saga?: StoredNotes };

/** A timer as the instance's version knows it: it may have been armed by an older one, in which its state had another name. */
export function renamedTimer(
  { notes }: Restored,
  cause: Extract<Cause, { kind: 'timer' }>,
): Extract<Cause, { kind: 'timer' }> {
  const { node = '', event } = cause.payload;
  const now = notes.renamed[node];
  if (now === undefined || !event.endsWith(node)) return cause;
  const payload = { ...cause.payload, node: now, event: event.slice(0, -node.length) + now };
  return { ...cause, payload };
}

/** Whether a timer's stay in its state is still going on, or its schedule still set. */
export function timerIsCurrent(
  saga: CompiledSaga,
  { snapshot, notes }: Restored,
  { token, payload }: Extract<Cause, { kind: 'timer' }>,
): boolean {
  const { node, epoch, schedule } = payload;
  if (schedule !== undefined) return notes.schedules.get(schedule) === token;
  if (node === undefined || epoch === undefined) return false;
  return isCurrent(saga.machine, snapshot, { node, epoch });
}

/** Runs a message or timer against an instance, on a private copy of its data. Changes nothing stored. */
export function runCause(
  saga: CompiledSaga,
  start: MacrostepStart,
  cause: MessageOrTimer,
  scene: Omit<HandlerScene, 'event' | 'instant' | 'saga'>,
): Promise<MacrostepResult> {
  const full = sceneOf(saga, cause, scene);
  const event = { type: eventType(cause), message: full.event };
  return macrostep(saga, start, event, (handler, draft) => callHandler(full, handler, draft));
}

/** What handlers of a message or timer see. */
export function sceneOf(
  saga: CompiledSaga,
  cause: MessageOrTimer,
  scene: Omit<HandlerScene, 'event' | 'instant' | 'saga'>,
): HandlerScene {
  const { id, tenant, messageId, recording, clock, timeoutMs } = scene;
  return {
    id,
    tenant,
    messageId,
    recording,
    clock,
    timeoutMs,
    saga,
    event: eventOf(cause),
    instant: instantOf(cause),
  };
}

type Occasion = MessageOrTimer;

function eventType(cause: Occasion): string {
  if (cause.kind === 'message') return cause.envelope.name;
  if (cause.kind === 'timer') return cause.payload.event;
  return outcomeEvent(cause.outcome.kind === 'done' ? 'done' : 'failed', cause.name);
}

/** What handlers and guards see of it. */
function eventOf(cause: Occasion): unknown {
  if (cause.kind === 'message') return cause.message;
  if (cause.kind === 'timer') return undefined;
  const { outcome, attempts } = cause;
  if (outcome.kind === 'done') return outcome.output;
  return outcome.kind === 'failed' ? { ...outcome.error, attempts } : undefined;
}

function instantOf(cause: Occasion): number {
  if (cause.kind === 'message') return cause.envelope.sentAt;
  return cause.kind === 'timer' ? cause.dueAt : cause.at;
}

/** Name of the state for queries and people: nested states are joined by dots, regions by bars. */
export function stateName(saga: CompiledSaga, snapshot: Snapshot): string {
  return flatten(stateValue(saga.machine, snapshot));
}

/** A snapshot without its data, and the notes, as stored. */
export function machineText(saga: CompiledSaga, snapshot: Snapshot, notes: Notes): string {
  const stored = storedNotes(notes);
  const machine: StoredMachine = {
    ...dehydrate(saga.machine, snapshot),
    ...(stored === undefined ? {} : { saga: stored }),
  };
  return toJson(machine, `snapshot of saga '${saga.definition.name}'`);
}

/** Full paths of the innermost states, so that a region is told by its own. */
function flatten(value: unknown, prefix = ''): string {
  if (typeof value === 'string') return `${prefix}${value}`;
  return Object.entries(value as Record<string, unknown>)
    .map(([key, inner]) => (isEmpty(inner) ? `${prefix}${key}` : flatten(inner, `${prefix}${key}.`)))
    .join('|');
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
