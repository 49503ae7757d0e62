import type { FaultPoints } from '@nestjs-orchestrator/core/ports';

/** A node that stands still at a fault point. */
export interface Pause {
  /** Settles when a caller stands at the point. */
  readonly reached: Promise<void>;
  /** Lets the caller go on; also before it has come. */
  readonly resume: () => void;
}

/** {@link FaultPoints} that record what was passed and do what a test tells them. Each node of a test has its own. */
export interface FaultRecorder extends FaultPoints {
  /** Names of all points reached, in order. */
  readonly reached: readonly string[];
  /** How often a point was reached. */
  count(point: string): number;
  /**
   * At the `nth` coming to the point (default: the next one) the node dies: that call never settles, and no later one of any
   * point does. Settles when it has happened.
   */
  crashAt(point: string, nth?: number): Promise<void>;
  /** At the `nth` coming to the point (default: the next one) `error` is thrown, once. */
  failAt(point: string, error: Error, nth?: number): void;
  /** At the `nth` coming to the point (default: the next one) the caller waits until it is resumed. */
  pauseAt(point: string, nth?: number): Pause;
  /** Settles when the point is reached for the `nth` time from now on (default: the next). */
  whenReached(point: string, nth?: number): Promise<void>;
}

/** What happens to one coming to a point. */
type Fault = () => void | Promise<void>;

const never = new Promise<never>(() => {});

class Recorder implements FaultRecorder {
  readonly reached: string[] = [];
  private readonly counts = new Map<string, number>();
  private readonly faults = new Map<string, Fault[]>();
  private crashed = false;

  reach(point: string): void | Promise<void> {
    if (this.crashed) return never;
    this.reached.push(point);
    const count = this.count(point) + 1;
    this.counts.set(point, count);
    const faults = this.faults.get(slot(point, count));
    return faults === undefined ? undefined : suffer(faults);
  }

  count(point: string): number {
    return this.counts.get(point) ?? 0;
  }

  crashAt(point: string, nth = 1): Promise<void> {
    return new Promise((resolve) => {
      this.plan(point, nth, () => {
        this.crashed = true;
        resolve();
        return never;
      });
    });
  }

  failAt(point: string, error: Error, nth = 1): void {
    this.plan(point, nth, () => {
      throw error;
    });
  }

  pauseAt(point: string, nth = 1): Pause {
    let resume = (): void => {};
    const resumed = new Promise<void>((resolve) => (resume = resolve));
    const reached = new Promise<void>((resolve) => {
      this.plan(point, nth, () => {
        resolve();
        return resumed;
      });
    });
    return { reached, resume };
  }

  whenReached(point: string, nth = 1): Promise<void> {
    return new Promise((resolve) => this.plan(point, nth, () => resolve()));
  }

  private plan(point: string, nth: number, fault: Fault): void {
    if (!Number.isInteger(nth) || nth < 1) throw new RangeError(`nth is counted from 1, not ${nth}.`);
    const name = slot(point, this.count(point) + nth);
    this.faults.set(name, [...(this.faults.get(name) ?? []), fault]);
  }
}

function slot(point: string, count: number): string {
  return `${count} ${point}`;
}

/** Several faults of one coming happen in the order in which they were planned. */
async function suffer(faults: readonly Fault[]): Promise<void> {
  for (const fault of faults) await fault();
}

/** A recorder that lets everything pass until it is told otherwise. */
export function faultPoints(): FaultRecorder {
  return new Recorder();
}
