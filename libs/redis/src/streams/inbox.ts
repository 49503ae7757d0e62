import type { Endpoint, FrameReceiver, Logger } from '@nestjs-orchestrator/core/ports';
import type { Call } from '../connection/script.js';
import type { Caller, Pipe } from './pipe.js';
import { type Entry, READ_AT_ONCE, type Source } from './reader.js';
import { trimScript } from './scripts.js';

/** What an inbox needs around it. */
export interface InboxGround {
  readonly receiver: FrameReceiver;
  readonly pipe: Pipe;
  readonly logger: Logger;
  /** It takes entries again. */
  readonly wake: (source: Source) => void;
  readonly counted: (frame: Buffer) => void;
}

/** The frames of one sender: handed over one after the other, freed on the server when they were. */
export class Inbox implements Source, Caller {
  cursor = '0-0';
  private queue: Entry[] = [];
  private handing = false;
  private done: string | undefined;
  private closing: (() => void) | undefined;
  private drained = false;

  constructor(
    readonly key: string,
    private readonly from: Endpoint,
    private readonly ground: InboxGround,
  ) {}

  wants(): boolean {
    return this.queue.length < READ_AT_ONCE;
  }

  get hurried(): boolean {
    return this.closing !== undefined;
  }

  take(entries: readonly Entry[]): void {
    if (entries.length === 0) {
      this.drained = this.closing !== undefined;
      this.checkClosed();
      return;
    }
    this.queue.push(...entries);
    if (!this.handing) void this.handOver();
  }

  /** The sender is gone; `closed` is called after the last of its frames. */
  end(closed: () => void): void {
    this.closing = closed;
    this.checkClosed();
  }

  next(): Call | undefined {
    const { done } = this;
    this.done = undefined;
    return done === undefined ? undefined : { script: trimScript, keys: [this.key], args: [after(done)] };
  }

  answered(): void {
    if (this.done !== undefined) this.ground.pipe.add(this);
  }

  private async handOver(): Promise<void> {
    this.handing = true;
    while (this.queue.length > 0) {
      const was = this.queue.length >= READ_AT_ONCE;
      const entry = this.queue.shift() as Entry;
      this.ground.counted(entry.frame);
      try {
        const held = this.ground.receiver.onFrame(this.from, entry.frame);
        if (held !== undefined) await held;
      } catch (error) {
        this.ground.logger.error('A receiver of frames failed; its frame is gone', { error: String(error) });
      }
      this.done = entry.id;
      this.ground.pipe.add(this);
      if (was && this.wants()) this.ground.wake(this);
    }
    this.handing = false;
    this.checkClosed();
  }

  private checkClosed(): void {
    if (this.closing === undefined || !this.drained || this.handing || this.queue.length > 0) return;
    const { closing } = this;
    this.closing = undefined;
    closing();
  }
}

/** The smallest id above another one. */
export function after(id: string): string {
  const dash = id.indexOf('-');
  return `${id.slice(0, dash)}-${BigInt(id.slice(dash + 1)) + 1n}`;
}
