import { isOrchestratorError } from '../../errors/orchestrator-error.js';
import type { Clock } from '../../ports/clock.js';
import type { Random } from '../../ports/ids.js';

/** How long after work of a newer build a node lets others go first, in milliseconds. */
const LASTS_MS = 60_000;
/** Codes of errors of what only another build can do. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  'SAGA_VERSION',
  'SAGA_OTHER_BUILD',
  'SAGA_STILL_HELD',
  'NO_ROUTE',
]);
/** By how much it then looks later than it might, in milliseconds; as much again at random. */
const AFTER_YOU_MS = 100;

/**
 * A node that gives work back since it is for another build must not be the first to take it again: all nodes know when it is due, and those that can do it
 * must come before those that can't.
 */
export class Courtesy {
  private until = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly random: Random,
  ) {}

  /** Work was given back for this reason. */
  gaveBack(error: unknown): void {
    if (isOrchestratorError(error) && OF_OTHERS.has(error.code))
      this.until = this.clock.monotonic() + LASTS_MS;
  }

  /** When to look for what will be due in `delayMs`. What is due now is taken. */
  after(delayMs: number): number {
    if (delayMs <= 0 || this.clock.monotonic() > this.until) return delayMs;
    return delayMs + AFTER_YOU_MS * (1 + this.random.next());
  }
}
