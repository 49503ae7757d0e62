import { Ring } from '../../orchestrator/pool/ring.js';
import type { MemorySeat } from './memory-seat.js';

/** A sender that waits for room in a lane. */
export interface WaitingFrame {
  readonly frame: Uint8Array;
  /** Whoever gave up keeps its place until it comes up. */
  cancelled: boolean;
  taken(): void;
  refused(error: Error): void;
}

/** Frames on the way from one endpoint to another, in order. */
export class Lane {
  readonly frames = new Ring<Uint8Array>();
  bytes = 0;
  readonly line = new Ring<WaitingFrame>();
  /** Senders in line that have not given up. */
  waiting = 0;
  /** The receiver's promise for the last frame has not settled. */
  busy = false;
  /** Holds of a test; frames move when it is 0. */
  held = 0;
  /** The sender is gone: when the last frame is handed over, the receiver is told. */
  senderIsGone = false;

  constructor(
    readonly sender: MemorySeat,
    readonly receiver: MemorySeat,
    private readonly limits: { readonly laneFrames: number; readonly laneBytes: number },
  ) {}

  get moves(): boolean {
    return !this.busy && this.held === 0;
  }

  hasRoomFor(bytes: number): boolean {
    if (this.frames.size === 0) return true;
    return this.frames.size < this.limits.laneFrames && this.bytes + bytes <= this.limits.laneBytes;
  }

  put(frame: Uint8Array): void {
    this.frames.push(frame);
    this.bytes += frame.length;
  }

  /** The next frame; whoever waits for its room is let in. */
  take(): Uint8Array | undefined {
    const frame = this.frames.shift();
    if (frame === undefined) return undefined;
    this.bytes -= frame.length;
    this.admit();
    return frame;
  }

  private admit(): void {
    for (let next = this.line.peek(); next !== undefined; next = this.line.peek()) {
      if (!next.cancelled && !this.hasRoomFor(next.frame.length)) return;
      this.line.shift();
      if (next.cancelled) continue;
      this.waiting -= 1;
      this.put(next.frame);
      next.taken();
    }
  }

  /** Nobody will take the frames any more. */
  refuse(error: Error): void {
    for (let next = this.line.shift(); next !== undefined; next = this.line.shift()) {
      if (next.cancelled) continue;
      this.waiting -= 1;
      next.refused(error);
    }
  }
}
