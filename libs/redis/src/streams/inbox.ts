import type { Endpoint, FrameReceiver, Logger } from '@nestjs-orchestrator/core/ports';
import type { Call } from '../connection/script.js';
import { after, BEGINNING } from './entry-id.js';
import type { Caller, Pipe } from './pipe.js';
import type { Entry, Source } from './reader.js';
import { trimScript } from './scripts.js';

/** What an inbox needs around it. */
export interface InboxGround {
  readonly receive: FrameReceiver['onFrame'];
  readonly pipe: Pipe;
  readonly logger: Logger;
  /** It takes entries again. */
  readonly wake: (source: Source) => void;
  readonly counted: (frame: Buffer) => void;
}

/** Frames that wait to be handed over, above which no more are read. */
const MOST_WAITING = 256;

/** The frames of one sender: handed over one after the other, freed on the server when they were. */
export class Inbox implements Source, Caller {
  cursor = BEGINNING;
  private queue: Entry[] = [];
  private waiting = 0;
  private handing = false;
  /** The last entry that is done, and how many frames are since the last call. */
  private done: string | undefined;
  private freed = 0;
  private sent: Call | undefined;
  private closing: (() => void) | undefined;
  private drained = false;

  constructor(
    readonly key: string,
    /** Key of how many frames it holds. */
    readonly expiresWith: string,
    private readonly from: Endpoint,
    private readonly ground: InboxGround,
  ) {}

  wants(): boolean {
    return this.waiting < MOST_WAITING;
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
    for (const entry of entries) {
      this.queue.push(entry);
      this.waiting += entry.frames.length;
    }
    if (!this.handing) void this.handOver();
  }

  /** The sender is gone; `closed` is called after the last of its frames. */
  end(closed: () => void): void {
    this.closing = closed;
    this.checkClosed();
  }

  next(): Call | undefined {
    if (this.sent !== undefined) return this.sent;
    const { done, freed } = this;
    if (done === undefined) return undefined;
    this.done = undefined;
    this.freed = 0;
    this.sent = { script: trimScript, keys: [this.key, this.expiresWith], args: [after(done), freed] };
    return this.sent;
  }

  answered(answer: unknown): void {
    this.sent = undefined;
    if (answer instanceof Error) {
      this.ground.logger.error('Frames could not be freed', { error: answer.message });
    }
    if (this.done !== undefined) this.ground.pipe.add(this);
  }

  private async handOver(): Promise<void> {
    this.handing = true;
    for (let entry = this.queue.shift(); entry !== undefined; entry = this.queue.shift()) {
      if (entry.unreadable !== undefined) this.tellUnreadable(entry);
      for (const { bytes } of entry.frames) {
        this.ground.counted(bytes);
        try {
          const held = this.ground.receive(this.from, bytes);
          if (held !== undefined) await held;
        } catch (error) {
          this.ground.logger.error('A receiver of frames failed; its frame is gone', {
            error: String(error),
          });
        }
      }
      this.finished(entry);
    }
    this.handing = false;
    this.checkClosed();
  }

  private tellUnreadable({ id }: Entry): void {
    this.ground.logger.error(
      `Entry ${id} of '${this.key}' holds no frames of this library and is thrown away`,
      {
        from: this.from.name,
      },
    );
  }

  private finished({ id, frames }: Entry): void {
    const wanted = this.wants();
    this.waiting -= frames.length;
    this.done = id;
    this.freed += frames.length;
    this.ground.pipe.add(this);
    if (!wanted && this.wants()) this.ground.wake(this);
  }

  private checkClosed(): void {
    if (this.closing === undefined || !this.drained || this.handing || this.queue.length > 0) return;
    const { closing } = this;
    this.closing = undefined;
    closing();
  }
}
