import { FrameTooLargeError } from '../../../errors/transport-errors.js';
import { RemoteAnswer } from '../remote/remote-answer.js';
import { failureFrom } from '../wire/failure-text.js';
import { ACCEPTED, ANSWER, CHANGED, DONE, FAILED, HAS_REPLY, READ, REPLY } from '../wire/format.js';
import type { FrameReader } from '../wire/frame-reader.js';
import { MalformedFrame } from '../../../framing/malformed-frame.js';
import type { Outgoing } from './outgoing.js';

/** Reads what the other side says of envelopes that were sent there. */
export class Outcomes {
  constructor(private readonly out: Outgoing) {}

  read(kind: number, reader: FrameReader): void {
    switch (kind) {
      case ACCEPTED:
        if (!this.out.accepted(reader.number())) throw new MalformedFrame('it accepts what was not sent');
        return;
      case DONE:
        this.done(reader.number(), reader.number());
        return;
      case FAILED:
        this.failed(reader.number(), reader.payload());
        return;
      case REPLY:
        this.replied(reader.number(), reader.payload());
        return;
      case ANSWER:
        this.answered(reader);
        return;
      case READ:
        if (!this.out.wasRead(reader.number())) throw new MalformedFrame('it has read what was not sent');
        return;
      default:
        throw new MalformedFrame(`there is no remark of kind ${kind}`);
    }
  }

  private done(first: number, count: number): void {
    if (!this.out.done(first, count)) throw new MalformedFrame('it is done with what it did not accept');
  }

  private replied(number: number, answer: unknown): void {
    if (answer instanceof FrameTooLargeError) this.failed(number, answer);
    else this.out.inFlight.take(number)?.replied(answer);
  }

  private answered(reader: FrameReader): void {
    const number = reader.number();
    const flags = reader.byte();
    if (flags > (CHANGED | HAS_REPLY)) throw new MalformedFrame(`an answer has the flags ${flags}`);
    const snapshot = reader.text();
    const reply = (flags & HAS_REPLY) === 0 ? undefined : reader.payload();
    this.replied(
      number,
      reply instanceof FrameTooLargeError
        ? reply
        : new RemoteAnswer((flags & CHANGED) !== 0, reply, snapshot),
    );
  }

  private failed(number: number, payload: unknown): void {
    const { inFlight } = this.out;
    const courier = inFlight.take(number);
    const { taken } = inFlight;
    courier?.ended(payload instanceof FrameTooLargeError ? payload : failureFrom(payload), taken);
  }
}
