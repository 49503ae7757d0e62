import type { Cancellable, Clock } from '../../ports/clock.js';

/** One call of `acquire` that waits. */
interface Waiter {
  readonly units: number;
  readonly grant: () => void;
}

interface Line {
  readonly key: string | undefined;
  readonly waiters: Set<Waiter>;
  /** What all of them ask for. */
  units: number;
  timer: Cancellable | undefined;
}

/** Takes units for a key if they are there, and then gives 0; else the milliseconds until they will be. */
export type Take = (key: string | undefined, units: number) => number;

/** Calls that wait, one line per key: first come, first served, and one timer for the head of each line. */
export class WaitingLines {
  private readonly lines = new Map<string | undefined, Line>();
  /** How many wait, over all keys. */
  size = 0;

  constructor(
    private readonly clock: Clock,
    private readonly take: Take,
  ) {}

  /** Units that those in line for the key ask for together; 0 where nobody waits. */
  ahead(key: string | undefined): number {
    return this.lines.get(key)?.units ?? 0;
  }

  has(key: string | undefined): boolean {
    return this.lines.has(key);
  }

  /** Waits for its turn. Rejects with the reason of the signal, and then has taken nothing. */
  wait(key: string | undefined, units: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.lineOf(key);
      const leave = (): void => {
        this.remove(line, waiter);
        reject(signal?.reason);
        this.serve(line);
      };
      const grant = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const waiter: Waiter = { units, grant };
      line.waiters.add(waiter);
      line.units += units;
      this.size += 1;
      signal?.addEventListener('abort', leave, { once: true });
      if (line.timer === undefined) this.serve(line);
    });
  }

  /** Looks again, since the bucket of the key, or every bucket, was filled from outside. */
  refresh(key?: string): void {
    for (const line of this.lines.values()) if (key === undefined || line.key === key) this.serve(line);
  }

  private lineOf(key: string | undefined): Line {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = { key, waiters: new Set(), units: 0, timer: undefined };
      this.lines.set(key, line);
    }
    return line;
  }

  private remove(line: Line, waiter: Waiter): void {
    line.waiters.delete(waiter);
    line.units -= waiter.units;
    this.size -= 1;
  }

  private serve(line: Line): void {
    line.timer?.cancel();
    line.timer = undefined;
    for (const waiter of line.waiters) {
      const waitMs = this.take(line.key, waiter.units);
      if (waitMs > 0) {
        line.timer = this.clock.schedule(waitMs, () => this.serve(line));
        return;
      }
      this.remove(line, waiter);
      waiter.grant();
    }
    if (this.lines.get(line.key) === line) this.lines.delete(line.key);
  }
}
