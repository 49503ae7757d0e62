import {
  dehydrate,
  type Dehydrated,
  type Effect,
  type EventObject,
  type Machine,
  rehydrate,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { parseJson, toJson } from '../../message/json.js';
import type { JsonText } from '../../ports/records.js';

/** What a committed step has asked for and is not known to be done: it is done at least once, under this id. */
export interface PendingEffect {
  readonly id: string;
  readonly effect: Extract<Effect, { type: 'action' | 'send' | 'emit' | 'log' }>;
  /** The event of its microstep. */
  readonly event: EventObject;
  /** The context of its microstep, where that is not the snapshot's. */
  readonly context?: unknown;
}

/** A timer of a durable machine: it is due at an instant, whatever process has the machine then. */
export interface DurableTimer {
  readonly id: string;
  /** Id of the message that its firing is. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  readonly event: EventObject;
  /** Whom it is for; undefined: the machine itself. */
  readonly to?: string;
  /** The stay that it ends with. */
  readonly stay?: { readonly node: string; readonly epoch: number };
}

/** An activity that goes on. Whoever has the machine next starts it again. */
export interface DurableActivity {
  readonly id: string;
  readonly src: string;
  readonly input?: unknown;
  readonly stay: { readonly node: string; readonly epoch: number };
  /** Id of the message that its outcome is. */
  readonly message: string;
}

/** A durable machine as it is stored. */
export interface DurableRecord {
  /** Counts commits; 0: not stored yet. */
  readonly version: number;
  /** Owner epoch of whoever wrote it. */
  readonly epoch: number;
  /** How often a process has gone on with what is pending or under way, and has not got to the next step. */
  readonly revived: number;
  readonly snapshot: Snapshot;
  readonly pending: readonly PendingEffect[];
  readonly timers: readonly DurableTimer[];
  readonly activities: readonly DurableActivity[];
}

/** Version of the stored form. */
const FORM = 1;

interface StoredForm {
  readonly form: number;
  readonly epoch: number;
  readonly revived: number;
  readonly snapshot: Dehydrated;
  readonly pending: readonly PendingEffect[];
  readonly timers: readonly DurableTimer[];
  readonly activities: readonly DurableActivity[];
}

/** @throws NotJsonError, PayloadTooLargeError */
export function writeRecord(
  machine: Machine,
  { epoch, revived, snapshot, pending, timers, activities }: DurableRecord,
  limit: number,
): { readonly data: JsonText; readonly machine: JsonText } {
  const form: StoredForm = {
    form: FORM,
    epoch,
    revived,
    snapshot: dehydrate(machine, snapshot),
    pending,
    timers,
    activities,
  };
  return {
    data: toJson(snapshot.context ?? null, 'context', limit),
    machine: toJson(form, 'machine', limit),
  };
}

/** @throws SnapshotError where another definition wrote it */
export function readRecord(
  machine: Machine,
  version: number,
  stored: { readonly data: JsonText; readonly machine: JsonText },
): DurableRecord {
  const { epoch, revived, snapshot, pending, timers, activities } = parseJson(stored.machine) as StoredForm;
  const context = parseJson(stored.data) ?? undefined;
  return {
    version,
    epoch,
    revived,
    snapshot: rehydrate(machine, snapshot, context),
    pending,
    timers,
    activities,
  };
}

/** The owner epoch of a stored record, whatever definition wrote it. */
export function epochOf(stored: { readonly machine: JsonText }): number {
  return (parseJson(stored.machine) as StoredForm).epoch;
}

/** Whether something of it has to go on without an event. */
export function isAwake({ pending, timers, activities }: DurableRecord): boolean {
  return pending.length > 0 || timers.length > 0 || activities.length > 0;
}
