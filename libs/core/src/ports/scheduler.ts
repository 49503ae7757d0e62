/**
 * Turns of the event loop. A group that brings its own is run by it alone, so that a simulation owns every interleaving.
 */
export interface Scheduler {
  /** Runs `task` when the present stack has ended, before any I/O: a microtask. */
  soon(task: () => void): void;
  /** Runs `task` in a turn of its own, after the I/O and timers that are ready. */
  nextTurn(task: () => void): void;
}
