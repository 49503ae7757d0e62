/** Who wants to hear that there may be work. */
export class WorkHints {
  private readonly listeners = new Set<() => void>();

  add(listener: () => void): () => void {
    // An entry of its own, so that one function given twice is called twice and taken back once.
    const entry = (): void => listener();
    this.listeners.add(entry);
    return () => void this.listeners.delete(entry);
  }

  /** Tells everybody, a turn later: whoever claims then meets the whole of the write that the hint speaks of. */
  tell(): void {
    for (const listener of this.listeners) {
      void this.tellLater(listener);
    }
  }

  private async tellLater(listener: () => void): Promise<void> {
    await Promise.resolve();
    if (this.listeners.has(listener)) listener();
  }
}
