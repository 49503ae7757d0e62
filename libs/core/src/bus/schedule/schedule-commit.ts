import { toJson } from '../../message/json.js';
import type { Commit } from '../../ports/instance-store.js';
import type { InstanceRef, StoredInstance, WorkRecord } from '../../ports/records.js';
import { DUE, SCHEDULE_KEY, type ScheduleRecord } from './schedule-record.js';

/** State of a schedule of which nothing can be read. */
const UNREADABLE = 'unreadable';

/** A schedule's next version. */
export interface ScheduleChange {
  readonly ref: InstanceRef;
  /** As loaded; `null`: it is created. */
  readonly instance: StoredInstance | null;
  readonly record: ScheduleRecord;
  /** The record as JSON. */
  readonly data: string;
  readonly work: readonly WorkRecord[];
  /** For history; `null`: a firing, of which none is kept, since there would be no end of them. */
  readonly what: string | null;
  readonly now: number;
}

/** The commit that ends a schedule of which nothing can be read; what is stored of it stays, for whoever looks into it. Pure. */
export function unreadableCommit(instance: StoredInstance, error: Error): Commit {
  const { tenant, saga, id, version, data, definitionVersion, status, machine, undo } = instance;
  const detail = toJson({ error: String(error.cause ?? error) }, 'history');
  return {
    ref: { tenant, saga, id },
    expectedVersion: version,
    lease: null,
    supersedes: null,
    next: { definitionVersion, state: UNREADABLE, status, data, machine, undo, ended: false, hold: null },
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [DUE] },
    history: [{ kind: UNREADABLE, name: id, messageId: '', from: null, to: UNREADABLE, detail }],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
  };
}

/** The commit of a change. Pure. */
export function scheduleCommit({ ref, instance, record, data, work, what, now }: ScheduleChange): Commit {
  const { tenant, saga, id } = ref;
  const { due, scheduleId } = record;
  const line = { kind: what ?? '', name: scheduleId, messageId: '', from: null, to: null, detail: null };
  return {
    ref: { tenant, saga, id },
    expectedVersion: instance?.version ?? 0,
    lease: null,
    supersedes: null,
    next: {
      definitionVersion: 1,
      state: due === null ? 'over' : 'waiting',
      status: 'running',
      data,
      machine: toJson({}, 'machine'),
      undo: toJson([], 'undo log'),
      // Never: its id may be scheduled again.
      ended: false,
      hold: null,
    },
    keys: instance === null ? [{ name: SCHEDULE_KEY, value: scheduleId }] : [],
    inbox: null,
    work,
    timers:
      due === null
        ? { arm: [], disarm: [DUE] }
        : {
            arm: [
              {
                tenant,
                saga,
                id,
                name: DUE,
                token: String(due),
                delayMs: Math.max(0, due - now),
                payload: toJson({}, 'timer'),
              },
            ],
            disarm: [],
          },
    history: what === null ? [] : [line],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
  };
}
