import type { BatchProgress } from './batch-result.js';

/** What was told so far and is told from now on, for any number of readers who begin whenever they like. */
export class ProgressFeed {
  private readonly waiting = new Set<() => void>();
  private latest: Entry = { next: undefined, progress: undefined };
  private closed = false;

  tell(progress: BatchProgress): void {
    const entry: Entry = { next: undefined, progress };
    this.latest.next = entry;
    this.latest = entry;
    this.wake();
  }

  close(): void {
    this.closed = true;
    this.wake();
  }

  /** From the next item on; what nobody reads is not kept. */
  async *read(): AsyncGenerator<BatchProgress> {
    for (let at = this.latest; ;) {
      while (at.next === undefined) {
        if (this.closed) return;
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
      at = at.next;
      if (at.progress !== undefined) yield at.progress;
    }
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

interface Entry {
  next: Entry | undefined;
  readonly progress: BatchProgress | undefined;
}
