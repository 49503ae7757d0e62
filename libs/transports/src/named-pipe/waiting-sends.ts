/** A frame whose sender waits for room. */
interface Waiting {
  readonly frame: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly stop: () => void;
}

/** Senders that wait for room to one peer, first come, first served. */
export class WaitingSends {
  private readonly waiting = new Set<Waiting>();

  get size(): number {
    return this.waiting.size;
  }

  /** Settles when the frame was taken; rejects with the signal's reason. */
  wait(frame: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiting.delete(entry);
        reject(signal?.reason as Error);
      };
      const stop = (): void => signal?.removeEventListener('abort', onAbort);
      const entry: Waiting = { frame, resolve, reject, stop };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiting.add(entry);
    });
  }

  /** Hands frames over as long as they are taken. */
  serve(take: (frame: Uint8Array) => boolean): void {
    for (const entry of this.waiting) {
      if (!take(entry.frame)) return;
      this.waiting.delete(entry);
      entry.stop();
      entry.resolve();
    }
  }

  fail(error: Error): void {
    for (const entry of this.waiting) {
      entry.stop();
      entry.reject(error);
    }
    this.waiting.clear();
  }
}
