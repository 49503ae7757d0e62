/** A sender that waits for room. */
interface WaitingFrame {
  readonly frame: Uint8Array;
  readonly taken: () => void;
  readonly refused: (error: unknown) => void;
}

/** Senders that wait for room in one lane, first come, first served. */
export class WaitingLine {
  private readonly frames = new Set<WaitingFrame>();

  get size(): number {
    return this.frames.size;
  }

  /** The frame that is next. */
  get first(): Uint8Array | undefined {
    // Asked at each look into the lanes: an iterator for each would be garbage that somebody who looks for a frame has to wait for.
    if (this.frames.size === 0) return undefined;
    const [first] = this.frames;
    return first?.frame;
  }

  /** Settles when the frame was taken; rejects with the signal's reason. */
  join(frame: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => signal?.removeEventListener('abort', onAbort);
      const waiting: WaitingFrame = {
        frame,
        taken: () => {
          stop();
          resolve();
        },
        refused: (error) => {
          stop();
          reject(error);
        },
      };
      const onAbort = (): void => {
        this.frames.delete(waiting);
        waiting.refused(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.frames.add(waiting);
    });
  }

  /** The first one's frame was taken. */
  shift(): void {
    const [first] = this.frames;
    if (first === undefined) return;
    this.frames.delete(first);
    first.taken();
  }

  refuseAll(error: Error): void {
    for (const waiting of this.frames) waiting.refused(error);
    this.frames.clear();
  }
}
