import { parseJson, toJson } from '../../message/json.js';
import type { StoredInstance } from '../../ports/records.js';
import type { MessageBody } from '../outgoing.js';
import { UnreadableScheduleError } from './schedule-errors.js';
import { nextDue, samePlan, type MissedPolicy, type Plan } from './schedule-plan.js';

/** Under this name schedules lie in the store, as instances beside those of sagas. No saga's name begins with `$`. */
export const SCHEDULES = '$schedule';
/** Name of the key that leads from a schedule's id to its instance. */
export const SCHEDULE_KEY = 'schedule';
/** The one timer of a schedule. */
export const DUE = 'due';

/** A schedule as stored: the data of its instance. */
export interface ScheduleRecord {
  readonly scheduleId: string;
  /** Its id was given: it is kept when it has fired for the last time, so that it does not fire again when it is repeated. */
  readonly named: boolean;
  readonly verb: 'publish' | 'send';
  readonly message: MessageBody;
  readonly headers: Readonly<Record<string, string>>;
  readonly plan: Plan;
  readonly missed: MissedPolicy;
  /** When it fires next; `null`: never again. */
  readonly due: number | null;
  /** When it fired last. */
  readonly fired: number | null;
}

/** What can be read of a schedule. */
export interface ScheduleInfo {
  readonly scheduleId: string;
  readonly tenant: string;
  /** Name of the message. */
  readonly message: string;
  /** When it fires next; `null`: it has fired for the last time, or was cancelled. */
  readonly nextAt: Date | null;
  /** The due time that it fired for last. */
  readonly lastAt: Date | null;
}

/**
 * A schedule as it was stored.
 *
 * @throws UnreadableScheduleError for what is no JSON, or no schedule
 */
export function readSchedule({ id, data }: Pick<StoredInstance, 'id' | 'data'>): ScheduleRecord {
  try {
    const record = parseJson(data) as ScheduleRecord;
    if (!isSchedule(record)) throw new TypeError('It lacks something that each schedule has.');
    return record;
  } catch (cause) {
    throw new UnreadableScheduleError(id, { cause });
  }
}

/** Whether it can be fired, or has fired for the last time. */
function isSchedule({ scheduleId, verb, message, due, plan }: ScheduleRecord): boolean {
  if (typeof scheduleId !== 'string' || typeof message.name !== 'string') return false;
  if (verb !== 'publish' && verb !== 'send') return false;
  if (due === null || plan.kind === 'once') return due === null || Number.isFinite(due);
  return Number.isFinite(due) && Number.isFinite(nextDue(plan, due) ?? due);
}

/** Whether a schedule that is asked for is there already, or has fired already. */
export function isRepeated(known: ScheduleRecord, wanted: ScheduleRecord, anchored: boolean): boolean {
  if (contentOf(known) !== contentOf(wanted) || !samePlan(known.plan, wanted.plan, anchored)) return false;
  return known.due !== null || (wanted.plan.kind === 'once' && known.fired === wanted.plan.at);
}

/** What tells one schedule from another of the same id; not when it is due. */
function contentOf({ verb, message, headers, missed }: ScheduleRecord): string {
  return toJson({ verb, message, headers, missed }, 'schedule');
}
