import type { ClaimedWork } from '../../ports/records.js';

/** Rows of one node that may run, and how many of them run at the same time. */
export class WorkPool {
  running = 0;
  private readonly ready: ClaimedWork[] = [];

  /**
   * @param limit rows that run at the same time
   * @param room rows that it holds, those that run among them
   */
  constructor(
    private readonly limit: number,
    private readonly room: number,
  ) {}

  /** Rows that may be claimed for it. */
  get free(): number {
    return this.room - this.running - this.ready.length;
  }

  /** Whether no row waits in it. */
  get isEmpty(): boolean {
    return this.ready.length === 0;
  }

  get mayRun(): boolean {
    return this.running < this.limit;
  }

  /** Whether a row that is added now begins at once. */
  get isFree(): boolean {
    return this.mayRun && this.isEmpty;
  }

  get isHalfEmpty(): boolean {
    return this.running + this.ready.length <= this.room / 2;
  }

  add(work: ClaimedWork): void {
    this.ready.push(work);
  }

  next(): ClaimedWork | undefined {
    return this.ready.shift();
  }

  /** Takes out what came last and has no room. */
  surplus(): readonly ClaimedWork[] {
    return this.free < 0 ? this.ready.splice(this.ready.length + this.free) : [];
  }
}
