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
  /** Takes back what has rung the bell. */
  silence(): void;
}

/** How long a loop looks before it sleeps; see `SharedMemoryOptions`. */
export interface Patience {
  readonly spinMs: number;
  readonly answerSpinMs: number;
}

/** Looks in a row before the event loop has a turn, some 10 µs with the pauses. */
const LOOKS = 120;
/** Looks between the first two pauses, in which the core is given away; between the next two there are twice as many, and so on. */
const LOOKS_BETWEEN_PAUSES = 8;

/**
 * Calls `turn` as long as there is something to do, a round of the event loop between two calls; then for a while in case more comes; then sets the
 * sleep flag and rests until the bell rings. What has come is answered before the bell is silenced, which is a call of the system; the bell is
 * silenced before the flag is set again, so that no ring for the next sleep is taken for the one before.
 */
export class ReadingLoop {
  private readonly spin: AdaptiveSpin;
  private readonly answers: AnswerWatch;
  private immediate: NodeJS.Immediate | undefined = undefined;
  private isClosed = false;
  /** The bell has rung and is not silenced yet. */
  private isRinging = false;
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
    this.isRinging = true;
    if (this.isClosed || this.isPaused) {
      this.silence();
      return;
    }
    this.flag.wake();
    this.cancel();
    this.work();
    if (!this.isClosed) this.immediate ??= setImmediate(this.run);
  }

  /** Does nothing until the returned function is called. */
  pause(): () => void {
    this.isPaused = true;
    this.cancel();
    this.silence();
    return () => {
      this.isPaused = false;
      this.kick();
    };
  }

  close(): void {
    this.isClosed = true;
    this.cancel();
    this.silence();
    this.flag.wake();
  }

  private readonly run = (): void => {
    this.immediate = undefined;
    this.silence();
    const isIdle = !this.work();
    if (this.isClosed || (isIdle && this.flag.trySleep(() => this.turns.isReady()))) return;
    this.immediate ??= setImmediate(this.run);
  };

  /** `false`: there was nothing to do, and nothing is expected. */
  private work(): boolean {
    if (this.turns.turn() > 0) {
      if (!this.isClosed) this.found();
    } else if (!this.isClosed && this.looksAgain()) this.lookInLine();
    else return false;
    return true;
  }

  private cancel(): void {
    if (this.immediate !== undefined) clearImmediate(this.immediate);
    this.immediate = undefined;
  }

  private silence(): void {
    if (!this.isRinging) return;
    this.isRinging = false;
    this.turns.silence();
  }

  /**
   * Looks a few times, and begins at once with what comes. A turn of the event loop takes as long as many looks, and a pause as long as ten or more:
   * what comes in one is seen that much later.
   */
  private lookInLine(): void {
    const { turns } = this;
    let [pauseAt, gap] = [1, LOOKS_BETWEEN_PAUSES];
    for (let looks = 1; !turns.isReady(); looks += 1) {
      if (looks > LOOKS) return;
      if (looks < pauseAt) continue;
      // Who is looked for may wait for this very core: where it is woken it often is put there. If nothing has come after that, it hardly does.
      turns.pause();
      pauseAt += gap;
      gap *= 2;
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
