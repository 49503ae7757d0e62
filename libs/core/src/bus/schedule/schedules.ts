import { Coalescer } from '../../handling/coalescer.js';
import { hashedId } from '../../message/hashed-id.js';
import { toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { IdSource, Random } from '../../ports/ids.js';
import type { Logger } from '../../ports/logger.js';
import type {
  Commit,
  CommitResult,
  InstanceStore,
  LoadRequest,
  LoadResult,
  WriteOptions,
} from '../../ports/instance-store.js';
import type { DueTimer, InstanceRef, StoredInstance, WorkRecord } from '../../ports/records.js';
import { pause } from '../../saga/run/contention.js';
import type { Addressing } from '../outgoing.js';
import type { Consumed } from '../relay/consumer.js';
import { NoRouteError } from '../routes.js';
import { ScheduleConflictError, ScheduleError, UnreadableScheduleError } from './schedule-errors.js';
import { decide, firstDue, planOf, type MissedPolicy, type ScheduleTime } from './schedule-plan.js';
import { scheduleCommit, unreadableCommit } from './schedule-commit.js';
import {
  SCHEDULE_KEY,
  SCHEDULES,
  isRepeated,
  readSchedule,
  type ScheduleInfo,
  type ScheduleRecord,
} from './schedule-record.js';

const MAX_TRIES = 10;
const LONGEST_ID = 512;

/** What is asked for. */
export interface ScheduleRequest {
  readonly scheduleId: string;
  readonly named: boolean;
  readonly tenant: string;
  readonly verb: 'publish' | 'send';
  readonly message: object;
  readonly headers: Readonly<Record<string, string>>;
  readonly time: ScheduleTime;
  readonly missed: MissedPolicy;
}

/** What schedules need of their node. */
export interface SchedulePorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly logger: Logger;
  readonly addressing: Addressing;
  readonly maxPayload: number;
  readonly writeOptions: () => WriteOptions;
  readonly committed: (commit: Commit, result: Extract<CommitResult, { outcome: 'committed' }>) => void;
}

/**
 * Messages that are sent at due times. A schedule is an instance with one timer: the commit of a firing holds its messages and arms the timer for
 * the next, so that of all nodes that try one fires, and none fires twice.
 */
export class Schedules {
  private readonly loads: Coalescer<LoadRequest, LoadResult>;
  private readonly commits: Coalescer<Commit, CommitResult>;

  constructor(private readonly ports: SchedulePorts) {
    const { store, clock, writeOptions } = ports;
    this.loads = new Coalescer((batch) => store.load(batch, { now: clock.storeNow() }), { clock });
    this.commits = new Coalescer((batch) => store.commit(batch, writeOptions()), { clock });
  }

  /** Makes or replaces a schedule; one that means the same already is left as it is. */
  async schedule(request: ScheduleRequest): Promise<ScheduleInfo> {
    const { addressing, clock, store } = this.ports;
    assertId(request.scheduleId);
    const message = await addressing.check(request.verb, request.message);
    const now = await store.instant({ now: clock.storeNow() });
    const plan = planOf(request.time, now);
    const { scheduleId, named, verb, headers, missed } = request;
    const wanted: ScheduleRecord = {
      scheduleId,
      named,
      verb,
      message,
      headers,
      plan,
      missed,
      due: firstDue(plan, now),
      fired: null,
    };
    const anchored = 'from' in request.time;
    const record = await this.change(request, (known) => {
      if (known !== null && isRepeated(known, wanted, anchored)) return null;
      return {
        record: { ...wanted, fired: known?.fired ?? null },
        what: known === null ? 'scheduled' : 'replaced',
      };
    });
    return infoOf(request.tenant, record ?? wanted);
  }

  /** Ends a schedule; whether there was one that would have fired again. */
  async unschedule(at: Pick<ScheduleRequest, 'tenant' | 'scheduleId'>): Promise<boolean> {
    let found = false;
    await this.change(at, (known) => {
      found = known !== null && known.due !== null;
      return known === null || !found ? null : { record: { ...known, due: null }, what: 'cancelled' };
    });
    return found;
  }

  async find(at: Pick<ScheduleRequest, 'tenant' | 'scheduleId'>): Promise<ScheduleInfo | undefined> {
    const { known, error } = await this.load(at);
    if (error !== undefined) throw error;
    return known === null ? undefined : infoOf(at.tenant, known);
  }

  /** One due time has come. */
  async fire(timer: DueTimer): Promise<Consumed> {
    const { store, clock } = this.ports;
    const { instance, known, error } = await this.loaded({ ...timer, by: { id: timer.id } });
    if (instance !== null && error !== undefined) return this.endUnreadable(instance, error);
    const isCurrent = instance !== null && String(known?.due) === timer.token;
    if (!isCurrent || known === null || known.due === null) return 'settled';
    const now = await store.instant({ now: clock.storeNow() });
    const { fire, next } = decide(known.plan, known.missed, known.due, now);
    const record: ScheduleRecord = { ...known, due: next, fired: fire ? known.due : known.fired };
    const work = fire ? await this.messages(instance, known, known.due) : [];
    // Somebody else has fired or changed it: their commit has replaced the timer.
    await this.commit(instance, instance, record, work, { what: null, now });
    return 'consumed';
  }

  /** It would be tried for ever otherwise. Whoever has changed it meanwhile has replaced its timer. */
  private async endUnreadable(instance: StoredInstance, error: UnreadableScheduleError): Promise<Consumed> {
    const { id, tenant } = instance;
    this.ports.logger.error(error.message, { id, tenant, error: String(error.cause) });
    await this.commits.submit(unreadableCommit(instance, error));
    return 'consumed';
  }

  private async messages(
    ref: InstanceRef,
    record: ScheduleRecord,
    due: number,
  ): Promise<readonly WorkRecord[]> {
    const { scheduleId, verb, message, headers } = record;
    const id = hashedId('schedule', ref.id, String(due));
    const work = this.ports.addressing.rows(verb, message, {
      id,
      tenant: ref.tenant,
      correlationId: id,
      causationId: `schedule:${scheduleId}`,
      headers: { ...headers, 'schedule-id': scheduleId, 'schedule-due': new Date(due).toISOString() },
      delayMs: 0,
      lane: null,
    });
    // It was wanted by somebody: another node may know whom.
    if (work.length === 0) throw new NoRouteError(message.name, []);
    return work;
  }

  private async change(
    at: Pick<ScheduleRequest, 'tenant' | 'scheduleId'>,
    decideChange: (
      known: ScheduleRecord | null,
    ) => { readonly record: ScheduleRecord; readonly what: string } | null,
  ): Promise<ScheduleRecord | null> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const { instance, known } = await this.load(at);
      const change = decideChange(known);
      if (change === null) return known;
      const ref = instance ?? { tenant: at.tenant, saga: SCHEDULES, id: this.ports.ids.next() };
      const now = await this.ports.store.instant({ now: this.ports.clock.storeNow() });
      if (await this.commit(ref, instance, change.record, [], { what: change.what, now }))
        return change.record;
      // Whoever was first may still be writing: a store tells of the lost race at once.
      await pause(this.ports, tries);
    }
    throw new ScheduleConflictError(at.scheduleId);
  }

  private async commit(
    ref: InstanceRef,
    instance: StoredInstance | null,
    record: ScheduleRecord,
    work: readonly WorkRecord[],
    { what, now }: { readonly what: string | null; readonly now: number },
  ): Promise<boolean> {
    const { maxPayload, committed } = this.ports;
    const data = toJson(record, `schedule '${record.scheduleId}'`, maxPayload);
    const commit = scheduleCommit({ ref, instance, record, data, work, what, now });
    const result = await this.commits.submit(commit);
    if (result.outcome === 'conflict') return false;
    committed(commit, result);
    if (record.due === null && !record.named) await this.forget(ref, result.version);
    return true;
  }

  /** Nobody can ask for it any more. If it stays, it is in nobody's way. */
  private async forget(ref: InstanceRef, expectedVersion: number): Promise<void> {
    const { store, clock, logger } = this.ports;
    const { tenant, saga, id } = ref;
    await store
      .remove({ ref: { tenant, saga, id }, expectedVersion, archive: false, now: clock.storeNow() })
      .catch((error: unknown) =>
        logger.warn('A schedule that is over was not removed', { id, error: String(error) }),
      );
  }

  private load({ tenant, scheduleId }: Pick<ScheduleRequest, 'tenant' | 'scheduleId'>): Promise<Found> {
    return this.loaded({ tenant, by: { key: { name: SCHEDULE_KEY, value: scheduleId } } });
  }

  private async loaded({ tenant, by }: Pick<LoadRequest, 'tenant' | 'by'>): Promise<Found> {
    const { instance } = await this.loads.submit({ tenant, saga: SCHEDULES, by, messageId: '' });
    if (instance === null) return { instance, known: null };
    try {
      return { instance, known: readSchedule(instance) };
    } catch (error) {
      if (error instanceof UnreadableScheduleError) return { instance, known: null, error };
      throw error;
    }
  }
}

interface Found {
  readonly instance: StoredInstance | null;
  readonly known: ScheduleRecord | null;
  /** Why the record can't be read. */
  readonly error?: UnreadableScheduleError;
}

function infoOf(tenant: string, { scheduleId, message, due, fired }: ScheduleRecord): ScheduleInfo {
  return {
    scheduleId,
    tenant,
    message: message.name,
    nextAt: due === null ? null : new Date(due),
    lastAt: fired === null ? null : new Date(fired),
  };
}

function assertId(id: string): void {
  if (id.length > 0 && id.length <= LONGEST_ID) return;
  throw new ScheduleError(`A schedule's id has 1 to ${LONGEST_ID} characters, found ${id.length}.`);
}
