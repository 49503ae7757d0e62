import { milliseconds, OrchestratorError, type Duration } from '@nestjs-orchestrator/core';
import type { Cancellable, Clock } from '@nestjs-orchestrator/core/ports';
import { Settling, type IdleHook } from './settling.js';
import { TaskQueue } from './task-queue.js';

/** Options of {@link VirtualClock}. */
export interface VirtualClockOptions {
  /** First instant, in milliseconds since the epoch. Default: 1 January 2030, 00:00 UTC. */
  readonly startAt?: number;
  /** Real milliseconds after which waiting for something tracked is given up with a `NotSettledError`. Default: 60 000. */
  readonly patienceMs?: number;
}

/** Limits of {@link VirtualClock.runAll}. */
export interface RunAllOptions {
  /** Tasks after which it is taken for a loop without end. Default: 10 000. */
  readonly most?: number;
}

/** The virtual clock was asked for what it can't do: go back, move twice at once, or run tasks without end. */
export class VirtualClockError extends OrchestratorError {
  readonly code = 'VIRTUAL_CLOCK';
}

const DEFAULT_START = Date.UTC(2030, 0, 1);
const DEFAULT_PATIENCE_MS = 60_000;
const MOST_TASKS = 10_000;

/**
 * Time that stands still until a test moves it. Stores are given the virtual instant (`storeNow`), so deadlines move with it.
 *
 * Between two tasks everything settles: promise chains of any length by themselves, and real I/O if it is tracked
 * ({@link track}, {@link tracked}) or covered by a hook ({@link whenIdle}). Two runs of one test so take the same steps.
 */
export class VirtualClock implements Clock {
  private readonly start: number;
  private readonly tasks = new TaskQueue();
  private readonly settling: Settling;
  private instant: number;
  private moving = false;

  constructor(options: VirtualClockOptions = {}) {
    this.start = options.startAt ?? DEFAULT_START;
    this.instant = this.start;
    this.settling = new Settling(options.patienceMs ?? DEFAULT_PATIENCE_MS);
  }

  now(): number {
    return this.instant;
  }

  monotonic(): number {
    return this.instant - this.start;
  }

  storeNow(): number {
    return this.instant;
  }

  schedule(delayMs: number, task: () => void): Cancellable {
    const scheduled = this.tasks.add(this.instant + Math.max(0, delayMs), task);
    return { cancel: () => this.tasks.remove(scheduled) };
  }

  /** How many tasks wait for their time. */
  get scheduled(): number {
    return this.tasks.size;
  }

  /** Moves time on (`90_000`, `'24h'`), running what becomes due at its own instant, each after the one before has settled. */
  advance(by: Duration | number): Promise<void> {
    return this.advanceTo(this.instant + milliseconds(by));
  }

  /** Moves time to an instant, in milliseconds since the epoch. */
  async advanceTo(instant: number): Promise<void> {
    if (!(instant >= this.instant)) {
      throw new VirtualClockError(`Time can't go back from ${this.instant} to ${instant}.`);
    }
    await this.move(async () => {
      while (await this.runNext(instant));
      this.instant = instant;
    });
  }

  /** Runs tasks, moving time, until none is left. Loops that schedule themselves again never end: move those by `advance`. */
  async runAll({ most = MOST_TASKS }: RunAllOptions = {}): Promise<void> {
    await this.move(async () => {
      for (let ran = 1; await this.runNext(Number.POSITIVE_INFINITY); ran += 1) {
        if (ran < most || this.tasks.size === 0) continue;
        throw new VirtualClockError(
          `${most} tasks have run and ${this.tasks.size} wait: use advance() for loops without end.`,
        );
      }
    });
  }

  /** Runs tasks, moving time, until the condition holds; it is asked whenever everything has settled. */
  async runUntil(condition: () => boolean, { most = MOST_TASKS }: RunAllOptions = {}): Promise<void> {
    await this.move(async () => {
      await this.settled();
      for (let ran = 0; !condition(); ran += 1) {
        if (ran === most)
          throw new VirtualClockError(`${most} tasks have run, and the condition does not hold.`);
        if (await this.runNext(Number.POSITIVE_INFINITY)) await this.settled();
        else throw new VirtualClockError('No task is left, and the condition does not hold.');
      }
    });
  }

  /** Settles when nothing moves any more at the present instant. Tasks that are due are not run: `advance(0)` does that. */
  settled(): Promise<void> {
    return this.settling.settled();
  }

  /** Lets time wait for real work, such as a query. Only for what ends without virtual time going on. Gives `work` back. */
  track<T>(work: Promise<T>, label = 'a tracked promise'): Promise<T> {
    return this.settling.track(work, label);
  }

  /**
   * `target` with every promise that its methods return tracked, for example a store on a real database. Methods named in
   * `except` are left alone: those that call back into code which may wait for virtual time.
   */
  tracked<T extends object>(target: T, label: string, except: readonly (keyof T)[] = []): T {
    return new Proxy(target, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, of, args);
          const left = except.includes(name as keyof T) || !(result instanceof Promise);
          return left ? result : this.track(result, `${label}.${String(name)}`);
        };
      },
    });
  }

  /** Before time goes on, `hook` is awaited as well: the way for a runtime to say that it is idle. Returns the way out. */
  whenIdle(label: string, hook: IdleHook): () => void {
    return this.settling.addHook(label, hook);
  }

  private async runNext(until: number): Promise<boolean> {
    await this.settled();
    const task = this.tasks.take(until);
    if (task === undefined) return false;
    this.instant = Math.max(this.instant, task.at);
    task.run();
    return true;
  }

  private async move(steps: () => Promise<void>): Promise<void> {
    if (this.moving)
      throw new VirtualClockError('Time is being moved already: await one advance() before the next.');
    this.moving = true;
    try {
      await steps();
      await this.settled();
    } finally {
      this.moving = false;
    }
  }
}
