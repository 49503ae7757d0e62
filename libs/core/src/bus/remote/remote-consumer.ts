import { timedCall } from '../../handling/timed-call.js';
import { readRow } from '../../handling/unreadable-row.js';
import type { Envelope } from '../../message/envelope.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { ClaimedWork } from '../../ports/records.js';
import { isMessage, type MessageWork } from '../outgoing.js';
import type { Consumed, Consumer } from '../relay/consumer.js';

/** Where messages go that another application answers. */
export interface RemoteRoute {
  /** Stable name, part of stored rows. */
  readonly name: string;
  /** Wire names of the messages that go there. */
  readonly messages: readonly string[];
  /** Hands a message over; settles when it is safe there, as far as the transport can tell. */
  readonly send: (envelope: Envelope) => Promise<void>;
}

/** Hands messages to another application: at least once, under the lease of their row, until it has confirmed them. */
export class RemoteConsumer implements Consumer {
  readonly pool = 'general';

  constructor(
    private readonly route: RemoteRoute,
    private readonly ports: {
      readonly clock: Clock;
      readonly faults: FaultPoints;
      readonly handlerTimeoutMs: number;
    },
  ) {}

  async consume(work: ClaimedWork): Promise<Consumed> {
    const { envelope } = readRow<MessageWork>(work, isMessage);
    const { clock, faults, handlerTimeoutMs } = this.ports;
    // Replies find their way within one store only; this node's own requests are refused before.
    const { replyTo: _to, replyBy: _by, ...letter } = envelope;
    await faults.reach('remote.send.before');
    await timedCall(clock, `remote route '${this.route.name}'`, handlerTimeoutMs, () =>
      this.route.send(letter),
    );
    await faults.reach('remote.send.after');
    return 'settled';
  }
}
