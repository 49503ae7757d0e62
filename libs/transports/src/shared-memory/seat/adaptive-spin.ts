/** How much an old gap counts against a new one. */
const MEMORY = 0.75;
/** A longer gap says no more than that nothing came for a while: one of them in a row of short ones (somebody else had the core) changes little. */
const LONGEST_GAPS = 2;

/**
 * Decides how long a reader that found nothing looks again before it sleeps. While frames come after short gaps it looks on, since sleeping and being
 * woken costs more; where the gaps are long it sleeps at once, and costs nothing.
 */
export class AdaptiveSpin {
  private emptySince: number | undefined = undefined;
  private gap: number;

  /** @param longestMs milliseconds that it looks at most */
  constructor(private readonly longestMs: number) {
    this.gap = longestMs * LONGEST_GAPS;
  }

  /** Something came at this instant (milliseconds). */
  found(now: number): void {
    if (this.emptySince === undefined) return;
    const gap = Math.min(now - this.emptySince, this.longestMs * LONGEST_GAPS);
    this.gap = MEMORY * this.gap + (1 - MEMORY) * gap;
    this.emptySince = undefined;
  }

  /** Nothing came: whether to look again. */
  goesOn(now: number): boolean {
    this.emptySince ??= now;
    return this.gap < this.longestMs && now - this.emptySince < this.longestMs;
  }
}
