import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { Inbox, type Deliver } from './inbox.js';
import { WaitingSends } from './waiting-sends.js';

/** Frames of an endpoint to itself: as to any other one, in another turn, bounded, in order. */
export class Loopback {
  readonly waiting = new WaitingSends();
  private readonly inbox: Inbox;
  private frames: Uint8Array[] = [];
  private bytes = 0;
  private isPaused = false;
  private isScheduled = false;

  constructor(
    self: Endpoint,
    deliver: Deliver,
    private readonly limit: number,
  ) {
    this.inbox = new Inbox(self, deliver, false);
    this.inbox.attach({
      pause: () => {
        this.isPaused = true;
      },
      resume: () => {
        this.isPaused = false;
        this.schedule();
      },
    });
  }

  take(frame: Uint8Array): boolean {
    if (this.waiting.size > 0 || !this.fits(frame.length)) return false;
    this.add(frame);
    return true;
  }

  private fits(bytes: number): boolean {
    return this.bytes === 0 || this.bytes + bytes <= this.limit;
  }

  private add(frame: Uint8Array): void {
    // Not `slice`: that of a Buffer copies nothing.
    this.frames.push(new Uint8Array(frame));
    this.bytes += frame.length;
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled || this.frames.length === 0) return;
    this.isScheduled = true;
    setImmediate(this.run);
  }

  private readonly run = (): void => {
    this.isScheduled = false;
    const batch = this.frames;
    this.frames = [];
    let at = 0;
    for (; at < batch.length && !this.isPaused; at += 1) {
      const frame = batch[at] as Uint8Array;
      this.bytes -= frame.length;
      this.inbox.take(frame);
    }
    this.frames = [...batch.slice(at), ...this.frames];
    this.waiting.serve((frame) => {
      if (!this.fits(frame.length)) return false;
      this.add(frame);
      return true;
    });
    if (!this.isPaused) this.schedule();
  };
}
