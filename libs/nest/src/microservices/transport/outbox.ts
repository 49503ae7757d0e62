import { piecesOf } from '@nestjs-orchestrator/core/internal';
import type { Endpoint, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { encodeWire, PIECE_HEAD, wire } from './wire.js';

const always = (): boolean => true;

/**
 * Frames on their way to other endpoints, in order for each. One that is larger than the transport carries goes in pieces, with nothing in between; the
 * others wait behind it.
 */
export class Outbox {
  /** Settles when what is on its way to an incarnation, in pieces or behind such, has left. */
  private readonly lines = new Map<string, Promise<unknown>>();

  constructor(private readonly seat: TransportSeat) {}

  /**
   * Settles when the transport has taken the whole frame. `false`: nobody wanted it any more, which is looked at before each piece; what the other side has of it
   * is dropped there.
   *
   * @throws as `TransportSeat.send` (as rejections): then nothing of it was taken
   */
  async send(to: Endpoint, frame: Uint8Array, isWanted = always): Promise<boolean> {
    const line = this.lines.get(to.incarnation);
    if (line === undefined && frame.length <= this.seat.maxFrameBytes) {
      await this.hand(to, frame);
      return true;
    }
    const sent = (line ?? Promise.resolve()).then(() => this.sendLarge(to, frame, isWanted));
    const end = sent.catch(() => undefined);
    this.lines.set(to.incarnation, end);
    void end.then(() => {
      if (this.lines.get(to.incarnation) === end) this.lines.delete(to.incarnation);
    });
    return sent;
  }

  private async sendLarge(to: Endpoint, frame: Uint8Array, isWanted: () => boolean): Promise<boolean> {
    const { maxFrameBytes } = this.seat;
    if (!isWanted()) return false;
    if (frame.length <= maxFrameBytes) {
      await this.hand(to, frame);
      return true;
    }
    let hasBegun = false;
    for (const { bytes } of piecesOf(frame, maxFrameBytes, PIECE_HEAD)) {
      if (hasBegun && !isWanted()) {
        await this.hand(to, encodeWire(wire.dropped, null));
        return false;
      }
      await this.hand(to, bytes);
      hasBegun = true;
    }
    return true;
  }

  private async hand(to: Endpoint, frame: Uint8Array): Promise<void> {
    if (!this.seat.trySend(to, frame)) await this.seat.send(to, frame);
  }
}
