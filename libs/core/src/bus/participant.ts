import { parseJson } from '../message/json.js';
import type { Envelope } from '../message/envelope.js';
import type { Clock } from '../ports/clock.js';
import type { FaultPoints } from '../ports/fault-points.js';
import type {
  Finish,
  FinishResult,
  InstanceStore,
  StoreTransaction,
  WriteOptions,
} from '../ports/instance-store.js';
import type { ClaimedWork, WorkKey, WorkRecord } from '../ports/records.js';
import type { SendOptions } from '../handling/send-options.js';
import { frozenInstance } from '../handling/frozen-instance.js';
import { Recording } from '../handling/recording.js';
import { timedCall, type SignalSource } from '../handling/timed-call.js';
import type { MessageContext, MessageHandler } from './message-context.js';
import type { Addressing, MessageWork } from './outgoing.js';
import type { Consumed, Consumer } from './relay/consumer.js';
import { noReply } from './request/reply-work.js';

/** What a participant needs of its node. */
export interface ParticipantPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly faults: FaultPoints;
  readonly addressing: Addressing;
  readonly handlerTimeoutMs: number;
  readonly writeOptions: () => WriteOptions;
  /** Whether the message was consumed before; coalesced. */
  readonly consumed: (message: WorkKey) => Promise<boolean>;
  /** Consumes the message and writes its answers; coalesced. */
  readonly finish: (item: Finish) => Promise<FinishResult>;
  /** Answers are durable; `leased`: this node dispatches them. */
  readonly written: (work: readonly WorkRecord[], leased: boolean) => void;
}

/** Thrown where a handler asks for a transaction that it has not got; the run ends there. */
class TransactionWanted extends Error {
  override readonly name = 'TransactionWanted';
  constructor(handler: string) {
    super(`${handler} uses ctx.manager: it is run again in a transaction.`);
  }
}

const HANDLED = 'handled';

/**
 * Runs a `@Handles` method as an idempotent consumer: inbox row, the method's own writes and its outgoing messages are one commit, so
 * that a redelivery, or a crash at any point, leaves either all of it or nothing.
 *
 * A method that never uses `ctx.manager` needs no transaction of its own: what it leaves is one item of a coalesced statement.
 */
export class Participant implements Consumer {
  /** `unknown` until it has run once: it may hold a connection then. */
  private writes: 'unknown' | 'never' | 'yes' = 'unknown';

  constructor(
    private readonly handler: MessageHandler,
    private readonly ports: ParticipantPorts,
  ) {}

  get pool(): Consumer['pool'] {
    return this.writes === 'never' ? 'general' : 'handler';
  }

  async consume(work: ClaimedWork, fresh: boolean): Promise<Consumed> {
    const { envelope } = parseJson(work.payload) as MessageWork;
    await this.ports.faults.reach('participant.before');
    if (this.writes !== 'yes') {
      if (!fresh && (await this.ports.consumed(work))) return 'settled';
      if (await this.alone(work, envelope)) return 'consumed';
      this.writes = 'yes';
    }
    await this.inTransaction(work, envelope);
    return 'consumed';
  }

  /** Handles the message without a transaction; `false`: it needs one, and nothing of the run counts. */
  private async alone(work: ClaimedWork, envelope: Envelope): Promise<boolean> {
    const { faults, finish, written } = this.ports;
    const wanted = new TransactionWanted(this.handler.name);
    let wants = false;
    const manager = (): never => {
      wants = true;
      throw wanted;
    };
    let outgoing: WorkRecord[];
    try {
      outgoing = await this.handle(envelope, work.attempts, manager);
    } catch (error) {
      if (wants) return false;
      throw error;
    }
    // It may have caught what was thrown to end it.
    if (wants) return false;
    if (this.writes === 'unknown') this.writes = 'never';
    await faults.reach('participant.commit.before');
    const { tenant, destination, id } = work;
    const result = await finish({ message: { tenant, destination, id }, outcome: HANDLED, work: outgoing });
    await faults.reach('participant.commit.after');
    if (result.outcome === 'finished') written(outgoing, result.leased);
    return true;
  }

  private async inTransaction(work: ClaimedWork, envelope: Envelope): Promise<void> {
    const { store, clock, faults, writeOptions, written } = this.ports;
    let outgoing: WorkRecord[] = [];
    const leased = await store.transaction(
      async (tx: StoreTransaction) => {
        // A message that was consumed before changes nothing, but its row still has to go.
        const first = await tx.consume(work, HANDLED);
        outgoing = first ? await this.handle(envelope, work.attempts, () => tx.manager) : [];
        const leasedToUs = await tx.handOver([work], outgoing, writeOptions());
        await faults.reach('participant.commit.before');
        return leasedToUs;
      },
      { now: clock.storeNow() },
    );
    await faults.reach('participant.commit.after');
    if (outgoing.length > 0) written(outgoing, leased);
  }

  /** Runs the method; the messages that it wants sent. */
  private async handle(envelope: Envelope, attempt: number, manager: () => unknown): Promise<WorkRecord[]> {
    const { name, message, handle } = this.handler;
    const recording = new Recording([name, envelope.id]);
    const { clock, handlerTimeoutMs, addressing } = this.ports;
    const instance = frozenInstance(message, envelope.body as object);
    recording.begin(name);
    try {
      await timedCall(clock, name, handlerTimeoutMs, (signal) =>
        handle(contextOf(envelope, instance, manager, attempt, recording, signal) as never),
      );
    } finally {
      // Also after a time-out: what a handler asks for later would be lost, so it is refused.
      recording.end();
    }
    const outgoing = await addressing.effects(recording.outgoing, {
      tenant: envelope.tenant,
      correlationId: envelope.correlationId,
      causationId: envelope.id,
      sender: name,
      lane: recording.outgoing.length > 1 ? `${name}:${envelope.id}` : null,
    });
    const reply = (await addressing.replies.text(recording.answer)) ?? noReply('handled');
    return [...outgoing, ...addressing.replies.row(envelope, reply)];
  }
}

function contextOf(
  envelope: Envelope,
  message: object,
  manager: () => unknown,
  attempt: number,
  recording: Recording,
  signal: SignalSource,
): MessageContext<object> {
  const { id, tenant, correlationId, headers } = envelope;
  return {
    id,
    tenant,
    message,
    correlationId,
    headers,
    attempt,
    get signal(): AbortSignal {
      return signal();
    },
    get manager(): unknown {
      return manager();
    },
    publish: (event: object, options?: SendOptions) => recording.add('publish', event, options),
    send: (command: object, options?: SendOptions) => recording.add('send', command, options),
    reply: (answer: object) => recording.reply(answer),
  };
}
