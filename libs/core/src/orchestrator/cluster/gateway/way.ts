/** How frames reach a gateway: over the transport, or by a call where it is this process. */
export interface Way {
  /** `false`: no room, or others wait. The frame is the receiver's to keep. */
  trySend(frame: Uint8Array): boolean;
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void>;
}

/** To a gateway in the same process. What is held back holds what comes behind it. */
export class OwnWay implements Way {
  private last: Promise<void> = Promise.resolve();
  private held = 0;

  constructor(private readonly hand: (frame: Uint8Array) => void | Promise<void>) {}

  trySend(frame: Uint8Array): boolean {
    if (this.held > 0) return false;
    this.take(frame);
    return true;
  }

  async send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    const before = this.last;
    const taken = before.then(() => {
      signal?.throwIfAborted();
      this.take(frame);
    });
    this.hold(taken);
    await taken;
  }

  private take(frame: Uint8Array): void {
    const wait = this.hand(frame);
    if (wait !== undefined) this.hold(wait);
  }

  private hold(work: Promise<void>): void {
    this.held += 1;
    const over = (): void => void (this.held -= 1);
    this.last = Promise.all([this.last, work.catch(() => {})]).then(over);
  }
}
