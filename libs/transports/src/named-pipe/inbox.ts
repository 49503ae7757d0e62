import type { Endpoint } from '@nestjs-orchestrator/core/ports';

/** What hands frames on. It must not throw. */
export type Deliver = (from: Endpoint, frame: Uint8Array) => void | Promise<void>;

/** A connection that can be told to read on later. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** The frames of one sender, over all its connections: in order, the next one when the one before is done. */
export class Inbox {
  /** Number of the last frame that came in. */
  received = 0;
  private readonly queue: Uint8Array[] = [];
  private head = 0;
  private isBusy: boolean;
  private source: Readable | undefined;
  private whenIdle: (() => void) | undefined;

  constructor(
    private readonly from: Endpoint,
    private readonly deliver: Deliver,
    isHeld: boolean,
  ) {
    this.isBusy = isHeld;
  }

  get isIdle(): boolean {
    return !this.isBusy;
  }

  /** Frames come over this connection from now on. */
  attach(source: Readable): void {
    this.source = source;
    if (this.isBusy) source.pause();
  }

  take(frame: Uint8Array): void {
    this.received += 1;
    if (this.isBusy) this.queue.push(frame);
    else this.hand(frame);
  }

  /** Ends the hold under which it was made. */
  release(): void {
    this.goOn();
  }

  /** Calls back when nothing is left of what came in, at once if so. */
  idle(then: () => void): void {
    this.whenIdle = then;
    if (!this.isBusy) this.becomeIdle();
  }

  private hand(frame: Uint8Array): void {
    const done = this.deliver(this.from, frame);
    if (done === undefined) return;
    this.isBusy = true;
    this.source?.pause();
    void done.then(this.goOn);
  }

  private readonly goOn = (): void => {
    this.isBusy = false;
    while (this.head < this.queue.length) {
      const frame = this.queue[this.head] as Uint8Array;
      this.head += 1;
      this.hand(frame);
      // `hand` may have begun to wait.
      if (!this.isIdle) return;
    }
    this.queue.length = 0;
    this.head = 0;
    this.source?.resume();
    this.becomeIdle();
  };

  private becomeIdle(): void {
    const then = this.whenIdle;
    this.whenIdle = undefined;
    then?.();
  }
}
