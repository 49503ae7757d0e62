import type { Clock } from '../../ports/clock.js';
import type { Scheduler } from '../../ports/scheduler.js';

/** Steps between two readings of the clock, at most: a reading costs as much as a good part of a step. */
const MOST_UNREAD_STEPS = 32;
/** A stretch of steps longer than this, in milliseconds, makes the next one shorter. */
const LONG_STRETCH_MS = 0.5;

/** Steps at the beginning of a turn, and after a long stretch, of which each function is timed: in all but a flood, that is every step. */
const WATCHED_STEPS = 32;

/**
 * When the pool works. Work begins in a microtask, so that an answer comes at once; but all of it between two turns of the event loop
 * together takes no longer than a slice: what is left then waits for the next turn, behind I/O and timers.
 */
export class Turns {
  /** The clock as last read. */
  now = 0;
  count = 0;
  longestMs = 0;
  /** The slice is used up. */
  over = false;
  private sliceStart = 0;
  /** A turn was asked for and has not come yet: the present slice goes on. */
  private turnAsked = false;
  private soonAsked = false;
  private working = false;
  private unread = 0;
  private stretch = 1;
  /** Steps since the turn began, or a stretch was long. */
  private swift = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly clock: Clock,
    private readonly sliceMs: number,
    /** Works until nothing is left or `over`; returns whether something is left. */
    private readonly work: () => boolean,
  ) {}

  /** There is something to do. */
  wake(): void {
    if (this.working || this.soonAsked || (this.turnAsked && this.over)) return;
    this.soonAsked = true;
    this.scheduler.soon(this.onSoon);
  }

  /** Settles in a turn of its own. */
  next(): Promise<void> {
    return new Promise((resolve) => this.scheduler.nextTurn(resolve));
  }

  /** Whether the functions of the present step are to be timed. */
  get watching(): boolean {
    return this.swift < WATCHED_STEPS;
  }

  /** A step was done; reads the clock now and then. */
  stepDone(): void {
    this.swift += 1;
    this.unread += 1;
    if (this.unread >= this.stretch) this.read();
  }

  /** The clock: as last read if that was at the end of the step before, else read now. */
  recent(): number {
    return this.working && this.unread === 0 ? this.now : this.read();
  }

  /** Something was done since the clock was last read that is nobody's to answer for. */
  stale(): void {
    if (this.unread === 0) this.unread = 1;
  }

  /** Reads the clock. */
  read(): number {
    const now = this.clock.monotonic();
    const took = now - this.now;
    if (took > LONG_STRETCH_MS) {
      this.stretch = Math.max(1, this.stretch >> 2);
      this.swift = 0;
    } else this.stretch = Math.min(MOST_UNREAD_STEPS, this.stretch * 2);
    this.unread = 0;
    this.now = now;
    if (now - this.sliceStart >= this.sliceMs) this.over = true;
    return now;
  }

  private readonly onSoon = (): void => {
    this.soonAsked = false;
    if (!this.turnAsked) this.begin();
    else {
      this.now = this.clock.monotonic();
      if (this.now - this.sliceStart >= this.sliceMs) this.over = true;
    }
    this.run();
  };

  private readonly onTurn = (): void => {
    this.turnAsked = false;
    if (!this.over) return;
    this.begin();
    this.run();
  };

  private begin(): void {
    this.sliceStart = this.now = this.clock.monotonic();
    this.over = false;
  }

  /** The clock was read just now. */
  private run(): void {
    if (!this.over) this.workOn();
    if (this.turnAsked) return;
    this.turnAsked = true;
    this.scheduler.nextTurn(this.onTurn);
  }

  private workOn(): void {
    this.count += 1;
    const started = this.now;
    this.unread = 0;
    this.swift = 0;
    this.working = true;
    try {
      this.over = this.work();
    } finally {
      this.working = false;
      this.longestMs = Math.max(this.longestMs, this.clock.monotonic() - started);
    }
  }
}
