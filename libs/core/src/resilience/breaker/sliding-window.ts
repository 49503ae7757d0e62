/**
 * Counts of the latest stretch of time, in buckets: a ring of flat numbers in which a bucket is emptied when its turn comes again, as in
 * the rolling number of Netflix' Hystrix.
 */
export class SlidingWindow {
  private readonly calls: Uint32Array;
  private readonly failed: Uint32Array;
  private readonly slowed: Uint32Array;
  private readonly bucketMs: number;
  private current = 0;
  private latest = 0;
  /** Calls of all buckets, without what is pending. */
  private counted = 0;
  /** Successes of the current bucket that are not in `counted` yet. */
  private pending = 0;
  failures = 0;
  slow = 0;

  constructor(
    windowMs: number,
    private readonly buckets: number,
  ) {
    this.bucketMs = windowMs / buckets;
    this.calls = new Uint32Array(buckets);
    this.failed = new Uint32Array(buckets);
    this.slowed = new Uint32Array(buckets);
  }

  get total(): number {
    return this.counted + this.pending;
  }

  /** Milliseconds from `now` until the current bucket ends. */
  rest(now: number): number {
    return (this.latest + 1) * this.bucketMs - now;
  }

  /** Goes on to the bucket of an instant, and drops those that have left the window. Time that goes back stands still. */
  moveTo(now: number): void {
    this.settle();
    const bucket = Math.floor(now / this.bucketMs);
    if (!(bucket > this.latest)) return;
    const steps = Math.min(bucket - this.latest, this.buckets);
    this.latest = bucket;
    for (let step = 0; step < steps; step += 1) {
      this.current = this.current + 1 === this.buckets ? 0 : this.current + 1;
      this.drop(this.current);
    }
  }

  /** Counts a success into the current bucket. */
  succeed(): void {
    this.pending += 1;
  }

  /** Counts a call that failed, was slow, or both. */
  add(failed: boolean, slow: boolean): void {
    const at = this.current;
    this.calls[at] = (this.calls[at] as number) + 1;
    this.counted += 1;
    if (failed) {
      this.failed[at] = (this.failed[at] as number) + 1;
      this.failures += 1;
    }
    if (slow) {
      this.slowed[at] = (this.slowed[at] as number) + 1;
      this.slow += 1;
    }
  }

  clear(): void {
    this.settle();
    for (let bucket = 0; bucket < this.buckets; bucket += 1) this.drop(bucket);
  }

  private settle(): void {
    this.calls[this.current] = (this.calls[this.current] as number) + this.pending;
    this.counted += this.pending;
    this.pending = 0;
  }

  private drop(bucket: number): void {
    this.counted -= this.calls[bucket] as number;
    this.failures -= this.failed[bucket] as number;
    this.slow -= this.slowed[bucket] as number;
    this.calls[bucket] = 0;
    this.failed[bucket] = 0;
    this.slowed[bucket] = 0;
  }
}
