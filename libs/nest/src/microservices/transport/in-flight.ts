/** Work that has begun and has not ended; above a limit, whoever brings more is held back. */
export class InFlight {
  private count = 0;
  private readonly held: (() => void)[] = [];
  private readonly idlers: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.count;
  }

  /**
   * Counts a piece of work. `next`: a promise where the limit is reached, which settles when there is room again. `whole`: settles as the work does.
   */
  start(work: Promise<void>): void | Promise<void>;
  start(work: Promise<void>, until: 'whole'): Promise<void>;
  start(work: Promise<void>, until: 'next' | 'whole' = 'next'): void | Promise<void> {
    this.count += 1;
    const done = work.finally(() => this.end());
    if (until === 'whole') return done;
    done.catch(() => undefined);
    if (this.count < this.limit) return undefined;
    return new Promise((resolve) => {
      this.held.push(resolve);
    });
  }

  /** Settles when nothing is under way. */
  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idlers.push(resolve);
    });
  }

  private end(): void {
    this.count -= 1;
    if (this.count < this.limit) for (const resolve of this.held.splice(0)) resolve();
    if (this.count === 0) for (const resolve of this.idlers.splice(0)) resolve();
  }
}
