/** Handle of something scheduled; `cancel` is idempotent and harmless after it ran. */
export interface Cancellable {
  cancel(): void;
}

/**
 * Time as this node sees it. Deadlines are never compared with it: those are the store's
 * (see `InstanceStore`). It measures durations and wakes loops.
 */
export interface Clock {
  /** Milliseconds since the epoch; for log lines and envelopes (`sentAt`). */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonic(): number;
  /** Runs `task` once after `delayMs` milliseconds. Must not keep the process alive by itself. */
  schedule(delayMs: number, task: () => void): Cancellable;
  /**
   * The instant that store statements should take as now: `null` in production (the store's own clock decides), the virtual
   * instant in tests.
   */
  storeNow(): number | null;
}
