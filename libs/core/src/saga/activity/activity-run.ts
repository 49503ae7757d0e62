import type { Cancellable, Clock } from '../../ports/clock.js';
import type { SagaActivityContext } from './activity-types.js';
import { ActivityTimeoutError } from './activity-errors.js';

/** Limits of one try. */
export interface TryLimits {
  readonly label: string;
  readonly timeoutMs: number;
  readonly heartbeatMs: number | undefined;
}

/** One try of an activity: a signal, and a time-out that the try's signs of life push on. */
export class ActivityTry {
  private readonly abort = new AbortController();
  private readonly timers = new Map<'time' | 'life', Cancellable>();
  private fail: (error: Error) => void = () => {};
  private ended = false;

  constructor(
    private readonly clock: Clock,
    private readonly limits: TryLimits,
  ) {}

  /** Runs user code; rejects when its time is over, whether or not it heeds the signal. A late settle is ignored. */
  async run<T>(
    ctx: Omit<SagaActivityContext, 'signal' | 'heartbeat'>,
    call: (ctx: SagaActivityContext) => T | Promise<T>,
  ): Promise<T> {
    const over = new Promise<never>((_, reject) => (this.fail = reject));
    const { timeoutMs, label } = this.limits;
    this.arm('time', timeoutMs, `${label} did not settle within ${timeoutMs} ms.`);
    this.beat();
    try {
      const whole = { ...ctx, signal: this.abort.signal, heartbeat: () => this.beat() };
      return await Promise.race([Promise.resolve().then(() => call(whole)), over]);
    } finally {
      this.ended = true;
      for (const timer of this.timers.values()) timer.cancel();
    }
  }

  /** Aborts the signal; the try goes on until its code settles. */
  cancel(reason: Error): void {
    if (!this.ended) this.abort.abort(reason);
  }

  private beat(): void {
    const { heartbeatMs, label } = this.limits;
    if (this.ended || heartbeatMs === undefined) return;
    this.arm('life', heartbeatMs, `${label} gave no sign of life for ${heartbeatMs} ms.`);
  }

  private arm(which: 'time' | 'life', delayMs: number, message: string): void {
    this.timers.get(which)?.cancel();
    const end = (): void => {
      const error = new ActivityTimeoutError(`${message} It is tried again.`);
      this.abort.abort(error);
      this.fail(error);
    };
    this.timers.set(which, this.clock.schedule(delayMs, end));
  }
}
