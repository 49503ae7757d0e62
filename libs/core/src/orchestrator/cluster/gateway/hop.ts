import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
import { Ring } from '../../pool/ring.js';

/** Frames that a gateway hands to one process, in order; those that find no room wait here. */
export class Hop {
  /** Bytes that wait. */
  bytes = 0;
  private readonly line = new Ring<Uint8Array>();
  private sending = false;
  private gone = false;
  private relieved: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined;

  constructor(
    private readonly seat: TransportSeat,
    private readonly to: Endpoint,
    private readonly maxBytes: number,
    /** A frame that no wait would help. */
    private readonly failed: (frame: Uint8Array, error: unknown) => void,
  ) {}

  /** A promise where so much waits that its sender should be held. */
  put(frame: Uint8Array): void | Promise<void> {
    if (this.gone) return undefined;
    if (!this.sending && this.taken(frame)) return undefined;
    this.line.push(frame);
    this.bytes += frame.length;
    if (!this.sending) void this.drain();
    if (this.bytes <= this.maxBytes) return undefined;
    return (this.relieved ??= withResolve()).promise;
  }

  /** The process is gone. */
  close(): void {
    this.gone = true;
    while (this.line.shift() !== undefined);
    this.bytes = 0;
    this.relieve();
  }

  /** `true` also for what can't be sent at all. */
  private taken(frame: Uint8Array): boolean {
    try {
      return this.seat.trySend(this.to, frame);
    } catch (error) {
      this.failed(frame, error);
      return true;
    }
  }

  private async drain(): Promise<void> {
    this.sending = true;
    for (let frame = this.line.peek(); frame !== undefined; frame = this.line.peek()) {
      try {
        await this.seat.send(this.to, frame);
      } catch (error) {
        if (!this.gone) this.failed(frame, error);
      }
      if (this.gone) break;
      this.line.shift();
      this.bytes -= frame.length;
      if (this.bytes <= this.maxBytes) this.relieve();
    }
    this.sending = false;
  }

  private relieve(): void {
    this.relieved?.resolve();
    this.relieved = undefined;
  }
}

function withResolve(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
