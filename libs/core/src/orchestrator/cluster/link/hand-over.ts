import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Endpoint } from '../../../ports/transport.js';
import type { Batch } from '../wire/batch.js';
import { piecesOf } from '../../../framing/pieces.js';
import { pieceHead } from '../wire/pieces.js';
import type { LinkContext } from './link-context.js';

/** Who is told what becomes of frames. */
interface Sender {
  /** A frame has left under this number. `envelope`: the last one in it; 0: it holds remarks alone. Not called for what nobody may wait for. */
  left(frame: number, envelope: number): void;
  /** There is room again. */
  relieved(): void;
  /** Nothing can be handed over any more. */
  failed(error: Error): void;
}

/** Hands frames to the transport, one after the other. */
export class HandOver {
  /** Number of the last frame. */
  frames = 0;
  /** The number up to which envelopes are in the hands of the transport. */
  handed = 0;
  /** The transport has no room: it says when there is. */
  blocked: Promise<void> | undefined = undefined;
  private closed = false;
  /** As `handed`, with those in the frame that waits for room: they may have been taken. */
  private offered = 0;

  constructor(
    private readonly context: LinkContext,
    private readonly to: Endpoint,
    private readonly sender: Sender,
  ) {}

  /** The number up to which the transport may have taken envelopes. */
  get mayBeTaken(): number {
    return Math.max(this.handed, this.offered);
  }

  /** What has not left does not leave. */
  close(): void {
    this.closed = true;
  }

  /** Empties a batch into the next frame. `false`: nothing more can be handed over now. */
  hand(batch: Batch): boolean {
    const { seat, memory: pieces } = this.context;
    const last = batch.envelopes === 0 ? this.handed : batch.first + batch.envelopes - 1;
    this.frames += 1;
    if (batch.matters) this.sender.left(this.frames, batch.envelopes === 0 ? 0 : last);
    let memory = pieces.take(batch.leastBytes);
    let frame = batch.writeTo(memory, this.frames);
    if (frame === undefined) {
      pieces.giveBack(memory);
      memory = pieces.take(batch.mostBytes);
      frame = batch.writeTo(memory, this.frames) as Uint8Array;
    }
    if (frame.length > seat.maxFrameBytes) {
      this.blocked = this.sendPieces(frame, memory, last);
      return false;
    }
    try {
      if (seat.trySend(this.to, frame)) {
        this.handed = last;
        pieces.giveBack(memory);
        return true;
      }
    } catch (error) {
      this.sender.failed(this.asError(error));
      return false;
    }
    this.offered = last;
    this.blocked = this.waitFor(frame, memory, last);
    return false;
  }

  private async waitFor(frame: Uint8Array, memory: Uint8Array, last: number): Promise<void> {
    try {
      await this.context.seat.send(this.to, frame);
      this.took(last, memory);
    } catch (error) {
      this.failed(error);
    }
  }

  /** One after the other, and nothing in between: the other side takes the whole with the last of them. */
  private async sendPieces(frame: Uint8Array, memory: Uint8Array, last: number): Promise<void> {
    const { seat } = this.context;
    try {
      for (const { bytes, isLast } of piecesOf(frame, seat.maxFrameBytes, pieceHead(this.frames))) {
        if (this.closed) break;
        if (isLast) this.offered = last;
        if (!seat.trySend(this.to, bytes)) await seat.send(this.to, bytes);
      }
      // Whoever waits for this has to find it as it is set now.
      await Promise.resolve();
      this.took(last, memory);
    } catch (error) {
      this.failed(error);
    }
  }

  private took(last: number, memory: Uint8Array): void {
    this.context.memory.giveBack(memory);
    this.handed = last;
    this.blocked = undefined;
    this.sender.relieved();
  }

  private failed(error: unknown): void {
    this.blocked = undefined;
    this.offered = 0;
    this.sender.failed(this.asError(error));
  }

  private asError(error: unknown): Error {
    return error instanceof Error ? error : new PeerLostError(this.to.name);
  }
}
