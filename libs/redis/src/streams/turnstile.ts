/** Lets one at a time through, first come, first served. */
export class Turnstile {
  private last: Promise<void> = Promise.resolve();

  pass(work: () => Promise<void>): Promise<void> {
    const run = this.last.then(work);
    this.last = run.catch(() => undefined);
    return run;
  }
}
