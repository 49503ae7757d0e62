import type { Cancellable, Clock } from '../ports/clock.js';

/** Runs a task at once, and then at most once per interval: calls in between become one at its end. */
export class Throttle {
  private resting: Cancellable | null = null;
  private wanted = false;

  constructor(
    private readonly clock: Pick<Clock, 'schedule'>,
    private readonly intervalMs: number,
    private readonly task: () => void,
  ) {}

  call(): void {
    if (this.resting !== null) {
      this.wanted = true;
      return;
    }
    this.rest();
    this.task();
  }

  cancel(): void {
    this.resting?.cancel();
    this.resting = null;
    this.wanted = false;
  }

  private rest(): void {
    this.resting = this.clock.schedule(this.intervalMs, () => {
      this.resting = null;
      if (!this.wanted) return;
      this.wanted = false;
      this.call();
    });
  }
}
