/**
 * Gathers single requests into batches: what arrives while the allowed number of batches is under way goes into the next one. Under light load
 * a request goes out at once; under heavy load batches grow by themselves.
 */
export class Coalescer<Q, R> {
  private waiting: {
    readonly request: Q;
    readonly resolve: (r: R) => void;
    readonly reject: (e: unknown) => void;
  }[] = [];
  private inFlight = 0;
  private scheduled = false;

  /** @param send answers each request in order; an `Error` in place of an answer rejects that request alone */
  constructor(
    private readonly send: (batch: readonly Q[]) => Promise<readonly (R | Error)[]>,
    private readonly maxBatch = 200,
    private readonly maxInFlight = 4,
  ) {}

  submit(request: Q): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.maxInFlight || this.waiting.length === 0) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
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
