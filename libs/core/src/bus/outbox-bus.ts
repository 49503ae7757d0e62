import { milliseconds } from '../message/duration.js';
import type { Envelope } from '../message/envelope.js';
import type { MessageType } from '../message/message.js';
import type { Clock } from '../ports/clock.js';
import type { IdSource } from '../ports/ids.js';
import type { InstanceStore, StoreTransaction, WriteOptions } from '../ports/instance-store.js';
import type { WorkRecord } from '../ports/records.js';
import type { CompiledSaga } from '../saga/compile/compiled-saga.js';
import type { JoinedRun } from '../saga/run/joined-run.js';
import { Coalescer } from '../handling/coalescer.js';
import {
  MessageBus,
  type PublishOptions,
  type PublishReceipt,
  type ScheduleOptions,
  type BusRequestOptions,
  type TransactionalBus,
} from './message-bus.js';
import type { AtOnce } from './at-once.js';
import { JoinedBus } from './joined-bus.js';
import type { Addressing, Verb } from './outgoing.js';
import { replyDestination } from './request/reply-work.js';
import { requestTimeout, type Requests } from './request/requests.js';
import type { ScheduleInfo } from './schedule/schedule-record.js';
import type { Schedules } from './schedule/schedules.js';

/** What the bus needs of its node. */
export interface OutboxBusPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly addressing: Addressing;
  readonly requests: Requests;
  readonly schedules: Schedules;
  /** Tenant of messages that name none. */
  readonly tenant: () => string;
  readonly writeOptions: () => WriteOptions;
  /** How sagas handle messages in a transaction of the caller's. */
  readonly joinedRun: (tx: StoreTransaction) => JoinedRun;
  /** The saga whose messages go to a destination. */
  readonly sagaAt: (destination: string) => CompiledSaga | undefined;
  /** Has messages handled without a row, where the node is told to try that. */
  readonly atOnce: AtOnce | undefined;
  /** Work was written; `leased`: this node dispatches it; `unique`: its ids are new. */
  readonly written: (work: readonly WorkRecord[], leased: boolean, unique: boolean) => void;
}

type Asker = Pick<Envelope, 'replyTo' | 'replyBy'>;

/** The bus: every message, local ones too, goes through the outbox, or into the commit of its handling. */
export class OutboxBus extends MessageBus {
  private readonly writes: Coalescer<readonly WorkRecord[], boolean>;

  constructor(private readonly ports: OutboxBusPorts) {
    super();
    this.writes = new Coalescer(
      async (batch) => {
        const leased = await ports.store.enqueue(batch.flat(), ports.writeOptions());
        return batch.map(() => leased);
      },
      { clock: ports.clock },
    );
  }

  override publish(event: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('publish', event, options);
  }

  override send(command: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('send', command, options);
  }

  override async request<R extends MessageType>(
    command: object,
    options: BusRequestOptions<R>,
  ): Promise<InstanceType<R>> {
    const { ids, clock, requests, writeOptions } = this.ports;
    const { reply, signal, timeout = '30s', ...rest } = options;
    const timeoutMs = requestTimeout(timeout);
    this.ports.addressing.mustReply(command);
    const [id, tenant] = [options.id ?? ids.next(), options.tenant ?? this.ports.tenant()];
    const asker = { replyTo: replyDestination(writeOptions().owner), replyBy: clock.now() + timeoutMs };
    return requests.ask({ tenant, id, message: command, reply, timeoutMs, signal }, () =>
      this.write('send', command, { ...rest, id, tenant }, asker),
    );
  }

  override schedule(message: object, options: ScheduleOptions): Promise<ScheduleInfo> {
    const { id, as = 'publish', missed = 'catch-up-once', headers = {}, tenant, ...time } = options;
    return this.ports.schedules.schedule({
      ...this.scheduleAt(id ?? this.ports.ids.next(), tenant),
      named: id !== undefined,
      verb: as,
      message,
      headers,
      missed,
      time,
    });
  }

  override unschedule(id: string, options: { readonly tenant?: string } = {}): Promise<boolean> {
    return this.ports.schedules.unschedule(this.scheduleAt(id, options.tenant));
  }

  override findSchedule(
    id: string,
    options: { readonly tenant?: string } = {},
  ): Promise<ScheduleInfo | undefined> {
    return this.ports.schedules.find(this.scheduleAt(id, options.tenant));
  }

  private scheduleAt(
    scheduleId: string,
    tenant = this.ports.tenant(),
  ): { scheduleId: string; tenant: string } {
    return { scheduleId, tenant };
  }

  override within(transaction: unknown): TransactionalBus {
    const { store, clock, joinedRun, sagaAt } = this.ports;
    const tx = store.within(transaction, { now: clock.storeNow() });
    const address: OutboxBus['address'] = (verb, message, options) => this.address(verb, message, options);
    return new JoinedBus({ address, sagaAt, run: joinedRun(tx) }, tx);
  }

  private async write(
    verb: Verb,
    message: object,
    options: PublishOptions,
    asker?: Asker,
  ): Promise<PublishReceipt> {
    const { messageId, work } = await this.address(verb, message, options, asker);
    if (asker === undefined && (await this.ports.atOnce?.handle(work)) === true) return { messageId };
    if (work.length > 0) this.ports.written(work, await this.writes.submit(work), options.id === undefined);
    return { messageId };
  }

  private async address(
    verb: Verb,
    message: object,
    options: PublishOptions,
    asker?: Asker,
  ): Promise<{ readonly messageId: string; readonly work: readonly WorkRecord[] }> {
    const messageId = options.id ?? this.ports.ids.next();
    const work = await this.ports.addressing.address(verb, message, {
      id: messageId,
      tenant: options.tenant ?? this.ports.tenant(),
      correlationId: options.correlationId ?? messageId,
      causationId: null,
      headers: options.headers ?? {},
      delayMs: milliseconds(options.delay ?? 0),
      lane: null,
      ...(asker === undefined ? {} : { asker }),
    });
    return { messageId, work };
  }
}
