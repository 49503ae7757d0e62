import type { Cancellable, Clock } from '@nestjs-orchestrator/core/ports';
import { TaskQueue } from '../clock/task-queue.js';

const START = Date.UTC(2030, 0, 1);

/** The time of all nodes of a run. It moves when the simulation says so. */
export class SimulatedTime {
  private readonly tasks = new TaskQueue();
  private instant = START;

  get passed(): number {
    return this.instant - START;
  }

  get idle(): boolean {
    return this.tasks.size === 0;
  }

  /** Goes to the next task and hands it out, unless it is due after `until` (milliseconds from the start). */
  next(until: number): (() => void) | undefined {
    const task = this.tasks.take(START + until);
    if (task === undefined) return undefined;
    this.instant = Math.max(this.instant, task.at);
    return task.run;
  }

  /** Goes on without running anything: what was due meanwhile runs late. */
  skip(ms: number): void {
    this.instant += ms;
  }

  /** Runs a task later, whichever node it belongs to. */
  after(delayMs: number, task: () => void): Cancellable {
    const scheduled = this.tasks.add(this.instant + Math.max(0, delayMs), task);
    return { cancel: () => this.tasks.remove(scheduled) };
  }

  /** The clock of one node; its tasks are handed to `due`, which may run them later or never. */
  clock(due: (task: () => void) => void): Clock {
    return {
      now: () => this.instant,
      monotonic: () => this.passed,
      storeNow: () => this.instant,
      schedule: (delayMs, task) => this.after(delayMs, () => due(task)),
    };
  }
}
