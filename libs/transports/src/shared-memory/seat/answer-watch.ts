/** Sends in a row that are not watched for an answer, at most, after none came. */
const MOST_SKIPPED = 255;

/**
 * Decides whether a process that has woken another one up looks for what comes back instead of going to sleep: being woken costs more than an answer
 * takes. Where answers don't come in that time it watches one send in ever more, so that it costs nothing.
 */
export class AnswerWatch {
  private until: number | undefined = undefined;
  private skips = 0;
  private left = 0;

  /** @param longestMs milliseconds that it looks at most; 0: never */
  constructor(private readonly longestMs: number) {}

  /** Another process was woken at this instant (milliseconds): whether to look for its answer. */
  begins(now: number): boolean {
    if (this.longestMs === 0) return false;
    if (this.left > 0) {
      this.left -= 1;
      return false;
    }
    this.until = now + this.longestMs;
    return true;
  }

  /** Something came. */
  found(): void {
    if (this.until === undefined) return;
    this.until = undefined;
    this.skips = 0;
  }

  /** Nothing came: whether to look again. */
  goesOn(now: number): boolean {
    if (this.until === undefined) return false;
    if (now < this.until) return true;
    this.until = undefined;
    this.skips = Math.min(MOST_SKIPPED, this.skips * 2 + 1);
    this.left = this.skips;
    return false;
  }
}
