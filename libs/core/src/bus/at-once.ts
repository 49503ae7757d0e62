import type { Cancellable, Clock } from '../ports/clock.js';
import type { WorkRecord } from '../ports/records.js';

/** How long the handlers of a message may take before it is written as a row as well, in milliseconds. */
export const PATIENCE_MS = 20;

/** What it takes to have messages handled that are no rows yet. */
export interface AtOncePorts {
  readonly clock: Clock;
  /** Whether the node takes up anything right now: messages that wait as rows go first. */
  readonly hasRoom: () => boolean;
  /**
   * Begins to handle a message in one commit; `undefined`: its consumer can't do so at once. Calls `decided` when its handlers have run, and only the
   * commit is missing.
   */
  readonly handle: (row: WorkRecord, decided: () => void) => Attempt | undefined;
}

/** A message that is being handled without a row. */
export interface Attempt {
  /** `false`: nothing has happened. */
  readonly handled: Promise<boolean>;
  /** It has taken longer than the node waits: those like it had better become rows. */
  readonly slow: () => void;
}

/**
 * Has messages from outside handled in the commit that makes them durable. Whatever comes in between (a race, an error, a store that does not answer,
 * a handler that takes long), the message becomes a row, under the same id: if it was handled after all, the inbox knows it.
 */
export class AtOnce {
  private running = 0;
  private whenIdle: (() => void)[] = [];

  constructor(private readonly ports: AtOncePorts) {}

  /** `true`: the message is handled, durably. `false`: it has to become a row. */
  async handle(work: readonly WorkRecord[]): Promise<boolean> {
    const [row] = work;
    if (row === undefined || work.length > 1 || row.delayMs > 0 || !this.ports.hasRoom()) return false;
    // Waiting for a commit is what every message does; only handlers may be too slow.
    const wait: { timer?: Cancellable; decided: boolean } = { decided: false };
    const attempt = this.ports.handle(row, () => {
      wait.decided = true;
      wait.timer?.cancel();
    });
    if (attempt === undefined) return false;
    this.running += 1;
    // Why it failed was told where it failed, and is told again if it fails as a row.
    const handled = attempt.handled.catch(() => false).finally(() => this.ended());
    if (wait.decided) return handled;
    return new Promise((resolve) => {
      wait.timer = this.ports.clock.schedule(PATIENCE_MS, () => {
        attempt.slow();
        resolve(false);
      });
      void handled.then((result) => {
        wait.timer?.cancel();
        resolve(result);
      });
    });
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    if (this.running > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  private ended(): void {
    this.running -= 1;
    if (this.running > 0) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}
