import type { Envelope } from '../message/envelope.js';
import { checkMessage } from '../message/message.js';
import type { Clock } from '../ports/clock.js';
import type { FaultPoints } from '../ports/fault-points.js';
import type {
  Consumption,
  Finish,
  FinishResult,
  InstanceStore,
  StoreTransaction,
  WriteOptions,
} from '../ports/instance-store.js';
import type { ClaimedWork, JsonText, WorkKey, WorkRecord } from '../ports/records.js';
import type { SendOptions } from '../handling/send-options.js';
import { frozenInstance } from '../handling/frozen-instance.js';
import { readRow } from '../handling/unreadable-row.js';
import { Recording } from '../handling/recording.js';
import { timedCall, type SignalSource } from '../handling/timed-call.js';
import type { MessageContext, MessageHandler } from './message-context.js';
import { isMessage, type Addressing, type MessageWork } from './outgoing.js';
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
  /** With which outcome the message was consumed before; coalesced. */
  readonly consumed: (message: WorkKey) => Promise<string | null>;
  /** Consumes the message and writes its answers; coalesced. */
  readonly finish: (item: Finish) => Promise<FinishResult>;
  /**
   * Handles the answer to a message in the commit that consumes the message, where its saga can do so at once; `false`: nothing has happened, it has
   * to become a row.
   */
  readonly carry: (answer: WorkRecord, message: Consumption) => Promise<boolean>;
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

/** What one run of a handler comes to. */
interface Leavings {
  /** Messages to be sent, the reply among them. */
  readonly work: readonly WorkRecord[];
  /** The reply, to be kept for whoever asks again. */
  readonly reply: JsonText | null;
}

/** Where a handler's transaction keeps its reply. */
function replyKey({ tenant, destination, id }: WorkKey): WorkKey {
  return { tenant, destination: `reply of ${destination}`, id };
}

/**
 * Runs a `@Handles` method as an idempotent consumer: inbox row, the method's own writes and its outgoing messages are one commit, so
 * that a redelivery, or a crash at any point, leaves either all of it or nothing.
 *
 * A method that never uses `ctx.manager` needs no transaction of its own: what it leaves is one item of a coalesced statement.
 */
export class Participant implements Consumer {
  /** `unknown` until it has run once: it may hold a connection then. */
  private writes: 'unknown' | 'never' | 'yes' = 'unknown';
  readonly concurrency?: number;

  constructor(
    private readonly handler: MessageHandler,
    private readonly ports: ParticipantPorts,
  ) {
    if (handler.concurrency !== undefined) this.concurrency = handler.concurrency;
  }

  get pool(): Consumer['pool'] {
    return this.writes === 'never' ? 'general' : 'handler';
  }

  async consume(work: ClaimedWork, fresh: boolean): Promise<Consumed> {
    const { envelope } = readRow<MessageWork>(work, isMessage);
    // Another build may have written it, with another schema.
    if (!fresh) await checkMessage(frozenInstance(this.handler.message, envelope.body as object));
    await this.ports.faults.reach('participant.before');
    if (this.writes !== 'yes') {
      const outcome = fresh ? null : await this.ports.consumed(work);
      if (outcome !== null) return this.answerAgain(work, envelope, outcome);
      const handled = await this.alone(work, envelope);
      if (handled !== null) return handled;
      this.writes = 'yes';
    }
    return this.inTransaction(work, envelope);
  }

  /** Handles the message without a transaction; `null`: it needs one, and nothing of the run counts. */
  private async alone(work: ClaimedWork, envelope: Envelope): Promise<Consumed | null> {
    const { faults, finish, written } = this.ports;
    let wants = false;
    const manager = (): never => {
      wants = true;
      throw new TransactionWanted(this.handler.name);
    };
    let left: Leavings;
    try {
      left = await this.handle(envelope, work.attempts, manager);
    } catch (error) {
      if (wants) return null;
      throw error;
    }
    // It may have caught what was thrown to end it.
    if (wants) return null;
    if (this.writes === 'unknown') this.writes = 'never';
    const { work: outgoing, reply } = left;
    await faults.reach('participant.commit.before');
    const { tenant, destination, id } = work;
    const message = { tenant, destination, id };
    if (await this.carry(left, message)) {
      await faults.reach('participant.commit.after');
      return 'consumed';
    }
    const result = await finish({ message, outcome: reply ?? HANDLED, work: outgoing });
    await faults.reach('participant.commit.after');
    if (result.outcome !== 'finished')
      return this.answerAgain(work, envelope, await this.ports.consumed(message));
    written(outgoing, result.leased);
    return 'consumed';
  }

  /** One answer, to be dispatched at once, may be handled with its message; what nobody else would have to find in the outbox. */
  private async carry({ work, reply }: Leavings, message: WorkKey): Promise<boolean> {
    const [answer] = work;
    if (answer === undefined || work.length > 1 || reply !== null || answer.delayMs > 0) return false;
    return this.ports.carry(answer, { message, outcome: HANDLED });
  }

  private async inTransaction(work: ClaimedWork, envelope: Envelope): Promise<Consumed> {
    const { store, clock, faults, writeOptions, written } = this.ports;
    let left: Leavings | null = null;
    const leased = await store.transaction(
      async (tx: StoreTransaction) => {
        // A message that was consumed before changes nothing.
        if (!(await tx.consume(work, HANDLED))) return false;
        left = await this.handle(envelope, work.attempts, () => tx.manager);
        // Its reply is known only now; it is kept beside the mark that the message was consumed.
        if (left.reply) await tx.consume(replyKey(work), left.reply);
        const leasedToUs = await tx.handOver([work], left.work, writeOptions());
        await faults.reach('participant.commit.before');
        return leasedToUs;
      },
      { now: clock.storeNow() },
    );
    await faults.reach('participant.commit.after');
    const done = left as Leavings | null;
    if (done === null) return this.answerAgain(work, envelope, HANDLED);
    if (done.work.length > 0) written(done.work, leased);
    return 'consumed';
  }

  /**
   * Whoever asks again gets what was replied the first time. The reply comes and the question goes in one commit: while the row of a question is
   * there, the same question asked once more is not written, and has to be answered with it.
   */
  private async answerAgain(
    work: ClaimedWork,
    envelope: Envelope,
    outcome: string | null,
  ): Promise<Consumed> {
    if (envelope.replyTo === undefined) return 'settled';
    const { addressing, clock, store, writeOptions, written } = this.ports;
    const kept = outcome === HANDLED ? await this.ports.consumed(replyKey(work)) : outcome;
    const replies = addressing.replies.row(envelope, kept ?? noReply(HANDLED));
    const leased = await store.transaction((tx) => tx.handOver([work], replies, writeOptions()), {
      now: clock.storeNow(),
    });
    written(replies, leased);
    return 'consumed';
  }

  /** Runs the method: what it wants sent, and what it replied. */
  private async handle(envelope: Envelope, attempt: number, manager: () => unknown): Promise<Leavings> {
    const { name, message, handle } = this.handler;
    const recording = new Recording([name, envelope.id]);
    const { clock, handlerTimeoutMs, addressing } = this.ports;
    const instance = frozenInstance(message, envelope.body as object);
    recording.begin(name);
    try {
      await timedCall(clock, name, handlerTimeoutMs, (signal) =>
        handle(new HandlerMessageContext(envelope, instance, manager, attempt, recording, signal) as never),
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
    const reply = await addressing.replies.text(recording.answer);
    return { work: [...outgoing, ...addressing.replies.row(envelope, reply ?? noReply(HANDLED))], reply };
  }
}

/** What a handler is given. A class: its getters are made once, not with each message. */
class HandlerMessageContext implements MessageContext<object> {
  readonly id: string;
  readonly tenant: string;
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly #recording: Recording;
  readonly #manager: () => unknown;
  readonly #signal: SignalSource;

  constructor(
    { id, tenant, correlationId, headers }: Envelope,
    readonly message: object,
    manager: () => unknown,
    readonly attempt: number,
    recording: Recording,
    signal: SignalSource,
  ) {
    this.id = id;
    this.tenant = tenant;
    this.correlationId = correlationId;
    this.headers = headers;
    this.#recording = recording;
    this.#manager = manager;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#signal();
  }

  get manager(): unknown {
    return this.#manager();
  }

  // Verbs are made when they are asked for, since a handler uses few of them; taken out of the context they still know it.
  get publish(): MessageContext<object>['publish'] {
    const recording = this.#recording;
    return (event: object, options?: SendOptions) => recording.add('publish', event, options);
  }

  get send(): MessageContext<object>['send'] {
    const recording = this.#recording;
    return (command: object, options?: SendOptions) => recording.add('send', command, options);
  }

  get reply(): MessageContext<object>['reply'] {
    const recording = this.#recording;
    return (answer: object) => recording.reply(answer);
  }
}
