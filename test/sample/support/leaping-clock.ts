import { type Duration, milliseconds } from '@nestjs-orchestrator/core';
import { type Cancellable, type Clock, systemClock } from '@nestjs-orchestrator/core/ports';

interface Waiting {
  readonly dueAt: number;
  readonly task: () => void;
  timer: Cancellable;
}

/** The time of the machine, until a test lets it leap: time-outs can be so long that nothing but a leap ever ends them. */
export class LeapingClock implements Clock {
  private ahead = 0;
  private readonly waiting = new Set<Waiting>();

  now(): number {
    return systemClock.now() + this.ahead;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.ahead;
  }

  /** The store goes along. */
  storeNow(): number {
    return this.now();
  }

  schedule(delayMs: number, task: () => void): Cancellable {
    const dueAt = this.monotonic() + delayMs;
    const waiting: Waiting = { dueAt, task, timer: systemClock.schedule(delayMs, () => this.run(waiting)) };
    this.waiting.add(waiting);
    return {
      cancel: () => {
        this.waiting.delete(waiting);
        waiting.timer.cancel();
      },
    };
  }

  /** What becomes due by it comes in turns of its own, in order. */
  leap(by: Duration): void {
    this.ahead += milliseconds(by);
    for (const waiting of [...this.waiting].sort((one, other) => one.dueAt - other.dueAt)) {
      waiting.timer.cancel();
      waiting.timer = systemClock.schedule(waiting.dueAt - this.monotonic(), () => this.run(waiting));
    }
  }

  private run(waiting: Waiting): void {
    this.waiting.delete(waiting);
    waiting.task();
  }
}
