import { milliseconds } from '../message/duration.js';
import type { Clock } from '../ports/clock.js';
import type { IdSource } from '../ports/ids.js';
import type { InstanceStore, WriteOptions } from '../ports/instance-store.js';
import type { WorkRecord } from '../ports/records.js';
import { Coalescer } from '../handling/coalescer.js';
import {
  MessageBus,
  type PublishOptions,
  type PublishReceipt,
  type TransactionalBus,
} from './message-bus.js';
import type { Addressing } from './outgoing.js';

/** What the bus needs of its node. */
export interface OutboxBusPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly addressing: Addressing;
  readonly defaultTenant: string;
  readonly writeOptions: () => WriteOptions;
  /** Work was written; `leased`: this node dispatches it. */
  readonly written: (work: readonly WorkRecord[], leased: boolean) => void;
}

type Verb = 'send' | 'publish';

/** The bus: every message, local ones too, goes through the outbox. */
export class OutboxBus extends MessageBus {
  private readonly writes: Coalescer<readonly WorkRecord[], boolean>;

  constructor(private readonly ports: OutboxBusPorts) {
    super();
    this.writes = new Coalescer(async (batch) => {
      const leased = await ports.store.enqueue(batch.flat(), ports.writeOptions());
      return batch.map(() => leased);
    });
  }

  override publish(event: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('publish', event, options);
  }

  override send(command: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('send', command, options);
  }

  override within(transaction: unknown): TransactionalBus {
    const { store, clock } = this.ports;
    const joined = store.within(transaction, { now: clock.storeNow() });
    const write = async (
      verb: Verb,
      message: object,
      options: PublishOptions = {},
    ): Promise<PublishReceipt> => {
      const { messageId, work } = await this.address(verb, message, options);
      await joined.enqueue(work);
      return { messageId };
    };
    return {
      publish: (event, options) => write('publish', event, options),
      send: (command, options) => write('send', command, options),
    };
  }

  private async write(verb: Verb, message: object, options: PublishOptions): Promise<PublishReceipt> {
    const { messageId, work } = await this.address(verb, message, options);
    if (work.length > 0) this.ports.written(work, await this.writes.submit(work));
    return { messageId };
  }

  private async address(
    verb: Verb,
    message: object,
    options: PublishOptions,
  ): Promise<{ readonly messageId: string; readonly work: readonly WorkRecord[] }> {
    const messageId = options.id ?? this.ports.ids.next();
    const work = await this.ports.addressing.address(verb, message, {
      id: messageId,
      tenant: options.tenant ?? this.ports.defaultTenant,
      correlationId: options.correlationId ?? messageId,
      causationId: null,
      headers: options.headers ?? {},
      delayMs: milliseconds(options.delay ?? 0),
      lane: null,
    });
    return { messageId, work };
  }
}
