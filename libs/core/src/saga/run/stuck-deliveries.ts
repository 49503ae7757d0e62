import type { Clock } from '../../ports/clock.js';

/** Pause after the first failure, and the longest one, in milliseconds. */
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Mailboxes that are remembered. */
const MOST = 10_000;

interface Stuck {
  readonly failures: number;
  readonly until: number;
}

/**
 * Mailboxes in which a message that waits has failed. A row of its own tries it again; who comes after it has to wait, and would run it again each time that
 * it asks. So they ask less and less often.
 */
export class StuckDeliveries {
  private readonly stuck = new Map<string, Stuck>();

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** Milliseconds for which nothing needs to be tried. */
  pause(mailbox: string): number {
    const known = this.stuck.get(mailbox);
    return known === undefined ? 0 : Math.max(0, known.until - this.clock.monotonic());
  }

  /** It has failed once more: for how many milliseconds nothing needs to be tried. */
  failed(mailbox: string): number {
    const failures = (this.stuck.get(mailbox)?.failures ?? 0) + 1;
    const pause = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 30));
    // The newest stand last.
    this.stuck.delete(mailbox);
    this.stuck.set(mailbox, { failures, until: this.clock.monotonic() + pause });
    if (this.stuck.size > MOST) this.stuck.delete(this.stuck.keys().next().value as string);
    return pause;
  }

  /** Nothing stands in the way any more. */
  freed(mailbox: string): void {
    this.stuck.delete(mailbox);
  }
}
