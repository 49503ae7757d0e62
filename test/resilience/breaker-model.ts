/** Options of both the breaker and its reference. */
export interface ModelOptions {
  readonly failureRatio: number;
  readonly consecutiveFailures: number;
  readonly minimumThroughput: number;
  readonly window: number;
  readonly buckets: number;
  readonly breakDuration: number;
  readonly breakJitter: number;
  readonly breakGrowth: number;
  readonly maxBreakDuration: number;
  readonly halfOpenProbes: number;
  readonly probeTimeout: number;
  readonly slowCallDuration?: number;
  readonly slowCallRatio?: number;
}

export type Outcome = 'ok' | 'failed' | 'cancelled';

interface Noted {
  readonly bucket: number;
  readonly failed: boolean;
  readonly slow: boolean;
}

/** The plain reference: every result is remembered with its bucket, rounds are numbered. `jitter` is what each draw gives. */
export class BreakerModel {
  now = 0;
  kind: 'closed' | 'open' | 'half-open' | 'isolated' = 'closed';
  draws = 0;
  private round = 0;
  private until = 0;
  private openings = 0;
  private admitted = 0;
  private succeeded = 0;
  private inARow = 0;
  private noted: Noted[] = [];

  constructor(
    private readonly options: ModelOptions,
    private readonly jitter: number,
  ) {}

  /** The round that lets the call through, or undefined. */
  start(): { round: number; at: number } | undefined {
    if (this.kind === 'isolated') return undefined;
    if (this.kind === 'open' && this.now < this.until) return undefined;
    if (this.kind === 'open') this.halfOpen();
    if (this.kind === 'half-open') {
      if (this.admitted >= this.options.halfOpenProbes) {
        if (this.now < this.until) return undefined;
        this.halfOpen();
      }
      this.admitted += 1;
    }
    return { round: this.round, at: this.now };
  }

  settle(call: { round: number; at: number }, outcome: Outcome): void {
    if (call.round !== this.round) return;
    if (outcome === 'cancelled') {
      this.admitted -= 1;
      return;
    }
    const failed = outcome === 'failed';
    const slow = this.now - call.at > (this.options.slowCallDuration ?? Infinity);
    if (this.kind === 'half-open') this.settleProbe(failed || slow);
    else this.settleClosed(failed, slow);
  }

  turn(kind: 'closed' | 'isolated'): void {
    this.round += 1;
    this.kind = kind;
    if (kind === 'isolated') return;
    this.inARow = 0;
    this.noted = [];
  }

  window(): { calls: number; failures: number; slow: number } {
    const { buckets } = this.options;
    const held = this.noted.filter(({ bucket }) => bucket > this.bucket() - buckets);
    return {
      calls: held.length,
      failures: held.filter(({ failed }) => failed).length,
      slow: held.filter(({ slow }) => slow).length,
    };
  }

  private settleProbe(bad: boolean): void {
    if (bad) return this.open(this.openings + 1);
    this.succeeded += 1;
    if (this.succeeded >= this.options.halfOpenProbes) this.turn('closed');
  }

  private settleClosed(failed: boolean, slow: boolean): void {
    this.noted.push({ bucket: this.bucket(), failed, slow });
    this.inARow = failed ? this.inARow + 1 : 0;
    if (!failed && !slow) return;
    const { calls, failures, slow: slowed } = this.window();
    const enough = calls >= this.options.minimumThroughput;
    const ratio = enough && failures / calls >= this.options.failureRatio;
    const crawling = enough && slowed / calls >= (this.options.slowCallRatio ?? Infinity);
    if (ratio || crawling || this.inARow >= this.options.consecutiveFailures) this.open(1);
  }

  private bucket(): number {
    return Math.floor(this.now / (this.options.window / this.options.buckets));
  }

  private open(openings: number): void {
    const { breakDuration, breakGrowth, breakJitter, maxBreakDuration } = this.options;
    const grown = Math.min(maxBreakDuration, breakDuration * breakGrowth ** (openings - 1));
    this.round += 1;
    this.kind = 'open';
    this.openings = openings;
    this.draws += breakJitter > 0 ? 1 : 0;
    this.until = this.now + grown * (1 + breakJitter * this.jitter);
  }

  private halfOpen(): void {
    this.round += 1;
    this.kind = 'half-open';
    this.admitted = 0;
    this.succeeded = 0;
    this.until = this.now + this.options.probeTimeout;
  }
}
