import type { SleepFlag } from '../lane/sleep-flag.js';
import { AdaptiveSpin } from './adaptive-spin.js';
import { AnswerWatch } from './answer-watch.js';

/** What a loop runs. */
export interface Turns {
  /** Does what there is to do, up to a limit; says how much it was. */
  turn(): number;
  /** Whether there is something to do. Changes nothing. */
  isReady(): boolean;
  /** Called between two looks that may both find nothing. */
  pause(): void;
}

/** How long a loop looks before it sleeps; see `SharedMemoryOptions`. */
export interface Patience {
  readonly spinMs: number;
  readonly answerSpinMs: number;
}

/** Looks in a row before the event loop has a turn, some 5 µs; and those after which the core is given away. */
const LOOKS = 32;
const LOOKS_PER_PAUSE = 8;

/**
 * Calls `turn` as long as there is something to do, a round of the event loop between two calls; then for a while in case more comes; then sets the
 * sleep flag and rests until the bell rings.
 */
export class ReadingLoop {
  private readonly spin: AdaptiveSpin;
  private readonly answers: AnswerWatch;
  private immediate: NodeJS.Immediate | undefined = undefined;
  private isClosed = false;
  isPaused = false;

  constructor(
    private readonly flag: SleepFlag,
    private readonly turns: Turns,
    { spinMs, answerSpinMs }: Patience,
  ) {
    this.spin = new AdaptiveSpin(spinMs);
    this.answers = new AnswerWatch(answerSpinMs);
  }

  /** There is, or may be, something to do: soon. */
  kick(): void {
    if (this.isClosed || this.isPaused || this.immediate !== undefined) return;
    this.flag.wake();
    this.immediate = setImmediate(this.run);
  }

  /** Another reader was woken: what it has to say comes soon. */
  expectAnswer(): void {
    if (this.isClosed || this.isPaused || !this.answers.begins(performance.now())) return;
    this.kick();
  }

  /** The bell has rung: now. */
  rung(): void {
    if (this.isClosed || this.isPaused) return;
    this.flag.wake();
    if (this.immediate !== undefined) clearImmediate(this.immediate);
    this.run();
  }

  /** Does nothing until the returned function is called. */
  pause(): () => void {
    this.isPaused = true;
    if (this.immediate !== undefined) clearImmediate(this.immediate);
    this.immediate = undefined;
    return () => {
      this.isPaused = false;
      this.kick();
    };
  }

  close(): void {
    this.isClosed = true;
    if (this.immediate !== undefined) clearImmediate(this.immediate);
    this.immediate = undefined;
    this.flag.wake();
  }

  private readonly run = (): void => {
    this.immediate = undefined;
    const done = this.turns.turn();
    if (this.isClosed) return;
    if (done > 0) this.found();
    else if (this.looksAgain()) this.lookInLine();
    else if (this.flag.trySleep(() => this.turns.isReady())) return;
    if (!this.isClosed) this.immediate ??= setImmediate(this.run);
  };

  /** Looks a few times, and begins at once with what comes. A turn of the event loop for each look would take several times as long as a look. */
  private lookInLine(): void {
    const { turns } = this;
    for (let left = LOOKS; !turns.isReady(); left -= 1) {
      if (left === 0) return;
      // Who is looked for may wait for this very core: where it is woken it often is put there.
      if (left % LOOKS_PER_PAUSE === 0) turns.pause();
    }
    if (turns.turn() > 0 && !this.isClosed) this.found();
  }

  private found(): void {
    this.spin.found(performance.now());
    this.answers.found();
  }

  private looksAgain(): boolean {
    const now = performance.now();
    // Both, so that both know how long nothing came.
    const [isBusy, isExpecting] = [this.spin.goesOn(now), this.answers.goesOn(now)];
    return isBusy || isExpecting;
  }
}
