import type { Cancellable, Clock } from '../../ports/clock.js';

/**
 * Calls `look` when something may be there: on a hint, when the next thing is due, and at least every `pollMs` because hints get lost.
 * One look at a time; a hint during a look means another one right after.
 */
export class Pump {
  private running = false;
  /** Those that follow each other at once. */
  private looks = Promise.resolve();
  private again = false;
  private stopped = true;
  private timer: Cancellable | null = null;
  private wakeAt = Number.POSITIVE_INFINITY;

  /** @param look resolves to the milliseconds until it should look again (0: at once), or `null` if it knows of nothing */
  constructor(
    private readonly clock: Clock,
    private readonly pollMs: number,
    private readonly look: () => Promise<number | null>,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.stopped = false;
    this.hint();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.timer = null;
    this.wakeAt = Number.POSITIVE_INFINITY;
  }

  hint(): void {
    if (this.stopped) return;
    if (this.running) this.again = true;
    else this.looks = this.run();
  }

  /** Settles when no look is under way. */
  idle(): Promise<void> {
    return this.looks;
  }

  /** Makes sure that a look begins within `delayMs`. */
  within(delayMs: number): void {
    if (this.stopped || this.running) {
      this.again ||= this.running;
      return;
    }
    const at = this.clock.monotonic() + delayMs;
    if (at >= this.wakeAt) return;
    this.timer?.cancel();
    this.wakeAt = at;
    this.timer = this.clock.schedule(delayMs, () => {
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.hint();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    let next: number | null = null;
    do {
      this.again = false;
      try {
        next = await this.look();
      } catch (error) {
        next = null;
        this.failed(error);
      }
    } while (!this.stopped && (this.again || next === 0));
    this.running = false;
    this.within(Math.min(this.pollMs, next ?? this.pollMs));
  }
}
