import type { Cancellable, Clock } from '../ports/clock.js';

/** A batch of so many is worth being under way beside another one. */
const LARGE = 32;

/** So many are one batch at most: what is answered at once is handled at once, and comes back at once, while the store has nothing to do. */
const MOST = 100;

/** How long a smaller one waits for the one before it, in milliseconds: longer than a store takes, so that it waits for a lock. */
const PATIENCE_MS = 20;

interface Waiting<Q, R> {
  readonly request: Q;
  readonly resolve: (answer: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Limits of a {@link Coalescer}. */
export interface CoalescerLimits {
  /** Requests of one batch at most; default 100. */
  readonly maxBatch?: number;
  /** Batches under way at the same time at most; default 4. */
  readonly maxInFlight?: number;
  /**
   * With a clock, a batch goes out beside another one only if it is large, or the other one takes long: small ones are slower together than one after
   * the other, for they wait for the same processors and the same disk, and each has a cost of its own. Without, as soon as there is room for it.
   */
  readonly clock?: Pick<Clock, 'schedule'>;
}

/**
 * Gathers single requests into batches: what arrives while others are under way goes into the next one. Under light load
 * a request goes out at once; under heavy load batches grow by themselves.
 */
export class Coalescer<Q, R> {
  private waiting: Waiting<Q, R>[] = [];
  private inFlight = 0;
  private scheduled = false;
  private patience: Cancellable | null = null;
  private readonly maxBatch: number;
  private readonly maxInFlight: number;
  private readonly clock: Pick<Clock, 'schedule'> | undefined;

  /** @param send answers each request in order; an `Error` in place of an answer rejects that request alone */
  constructor(
    private readonly send: (batch: readonly Q[]) => Promise<readonly (R | Error)[]>,
    { maxBatch = MOST, maxInFlight = 4, clock }: CoalescerLimits = {},
  ) {
    this.maxBatch = maxBatch;
    this.maxInFlight = maxInFlight;
    this.clock = clock;
  }

  submit(request: Q): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.maxInFlight || this.waiting.length === 0) return;
    if (this.clock === undefined || this.inFlight === 0 || this.waiting.length >= LARGE) this.go();
    else this.patience ??= this.clock.schedule(PATIENCE_MS, () => this.goAnyway());
  }

  private goAnyway(): void {
    this.patience = null;
    if (!this.scheduled && this.inFlight < this.maxInFlight && this.waiting.length > 0) this.go();
  }

  private go(): void {
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.patience?.cancel();
    this.patience = null;
    const batch = this.waiting.splice(0, this.maxBatch);
    if (batch.length === 0) return;
    this.inFlight++;
    this.schedule();
    try {
      const answers = await this.send(batch.map((entry) => entry.request));
      batch.forEach((entry, i) => {
        const answer = answers[i];
        if (answer instanceof Error) entry.reject(answer);
        else entry.resolve(answer as R);
      });
    } catch (error) {
      for (const entry of batch) entry.reject(error);
    } finally {
      this.inFlight--;
      this.schedule();
    }
  }
}
