import { parseJson } from '../message/json.js';
import type { StoreTransaction } from '../ports/instance-store.js';
import type { WorkRecord } from '../ports/records.js';
import type { CompiledSaga } from '../saga/compile/compiled-saga.js';
import type { HandledSaga, JoinedRun } from '../saga/run/joined-run.js';
import { keyOf } from '../saga/run/correlation.js';
import type {
  HandledReceipt,
  HandleOptions,
  PublishOptions,
  PublishReceipt,
  TransactionalBus,
} from './message-bus.js';
import type { MessageWork, Verb } from './outgoing.js';

/** What a bus in a transaction needs of its node. */
export interface JoinedBusPorts {
  /** The rows that a message comes to. */
  readonly address: (
    verb: Verb,
    message: object,
    options: PublishOptions,
  ) => Promise<{ readonly messageId: string; readonly work: readonly WorkRecord[] }>;
  /** The saga whose messages go to a destination; `undefined`: it is none's. */
  readonly sagaAt: (destination: string) => CompiledSaga | undefined;
  readonly run: JoinedRun;
}

/** A bus that writes into a transaction of the caller's. */
export class JoinedBus implements TransactionalBus {
  constructor(
    private readonly ports: JoinedBusPorts,
    private readonly tx: StoreTransaction,
  ) {}

  publish(event: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('publish', event, options);
  }

  send(command: object, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.write('send', command, options);
  }

  async handle(message: object, options: HandleOptions = {}): Promise<HandledReceipt> {
    const { messageId, work } = await this.ports.address('publish', message, options);
    const sagas: HandledSaga[] = [];
    const rows: WorkRecord[] = [];
    for (const row of work) {
      const saga = this.ports.sagaAt(row.destination);
      const { envelope } = parseJson(row.payload) as MessageWork;
      if (saga === undefined || hasMany(saga, envelope)) rows.push(row);
      else sagas.push(await this.ports.run.handle(saga, envelope));
    }
    await this.tx.enqueue(rows);
    return { messageId, sagas };
  }

  private async write(verb: Verb, message: object, options: PublishOptions): Promise<PublishReceipt> {
    const { messageId, work } = await this.ports.address(verb, message, options);
    await this.tx.enqueue(work);
    return { messageId };
  }
}

/** Whether the message is for all instances that share its key: each of them gets one of its own, later. */
function hasMany({ definition }: CompiledSaga, { name, body }: MessageWork['envelope']): boolean {
  return definition.keys.get(keyOf(definition, name, body as object).name) === 'many';
}
