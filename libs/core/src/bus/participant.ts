import { parseJson } from '../message/json.js';
import type { Envelope } from '../message/envelope.js';
import type { Clock } from '../ports/clock.js';
import type { FaultPoints } from '../ports/fault-points.js';
import type { InstanceStore, StoreTransaction } from '../ports/instance-store.js';
import type { ClaimedWork } from '../ports/records.js';
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
  /** Its transaction has committed: there may be work to dispatch. */
  readonly committed: () => void;
}

/**
 * Runs a `@Handles` method as an idempotent consumer: inbox row, the method's own writes and its outgoing messages are one transaction, so
 * that a redelivery, or a crash at any point, leaves either all of it or nothing.
 */
export class Participant implements Consumer {
  readonly pool = 'handler';

  constructor(
    private readonly handler: MessageHandler,
    private readonly ports: ParticipantPorts,
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const { store, clock, faults } = this.ports;
    const { envelope } = parseJson(work.payload) as MessageWork;
    await faults.reach('participant.before');
    await store.transaction(
      async (tx) => {
        // A message that was consumed before changes nothing, but its row still has to go.
        if (await tx.consume(work, 'handled')) await this.handle(tx, envelope, work.attempts);
        await tx.complete([work]);
        await faults.reach('participant.commit.before');
      },
      { now: clock.storeNow() },
    );
    await faults.reach('participant.commit.after');
    this.ports.committed();
    return 'consumed';
  }

  private async handle(tx: StoreTransaction, envelope: Envelope, attempt: number): Promise<void> {
    const { name, message, handle } = this.handler;
    const recording = new Recording([name, envelope.id]);
    const { clock, handlerTimeoutMs, addressing } = this.ports;
    const instance = frozenInstance(message, envelope.body as object);
    recording.begin(name);
    try {
      await timedCall(clock, name, handlerTimeoutMs, (signal) =>
        handle(contextOf(envelope, instance, tx.manager, attempt, recording, signal) as never),
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
    const work = [...outgoing, ...addressing.replies.row(envelope, reply)];
    if (work.length > 0) await tx.enqueue(work);
  }
}

function contextOf(
  envelope: Envelope,
  message: object,
  manager: unknown,
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
    manager,
    publish: (event: object, options?: SendOptions) => recording.add('publish', event, options),
    send: (command: object, options?: SendOptions) => recording.add('send', command, options),
    reply: (answer: object) => recording.reply(answer),
  };
}
