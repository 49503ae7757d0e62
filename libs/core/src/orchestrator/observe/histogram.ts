import type { LatencyStatistics } from '../statistics.js';

/** Buckets for each doubling: with 16, the middle of a bucket is off by 1/32 at most. */
const STEPS = 16;
const LONGEST_US = 2 ** 31 - 1;
const BUCKETS = 29 * STEPS;

/** Counts of durations in buckets that grow with the duration (as HdrHistogram's): a fixed amount of memory, however many there are. */
export class Histogram {
  private counts: Uint32Array | undefined = undefined;
  private count = 0;
  private sum = 0;
  private max = 0;

  record(milliseconds: number): void {
    const microseconds = Math.min(LONGEST_US, Math.max(0, Math.round(milliseconds * 1_000)));
    const counts = (this.counts ??= new Uint32Array(BUCKETS));
    const bucket = bucketOf(microseconds);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.count += 1;
    this.sum += milliseconds;
    if (milliseconds > this.max) this.max = milliseconds;
  }

  add(other: Histogram): void {
    if (other.counts === undefined) return;
    const counts = (this.counts ??= new Uint32Array(BUCKETS));
    other.counts.forEach((count, bucket) => (counts[bucket] = (counts[bucket] ?? 0) + count));
    this.count += other.count;
    this.sum += other.sum;
    this.max = Math.max(this.max, other.max);
  }

  statistics(): LatencyStatistics {
    const { count, sum, max } = this;
    return {
      count,
      mean: count === 0 ? 0 : sum / count,
      max,
      p50: this.percentile(0.5),
      p95: this.percentile(0.95),
      p99: this.percentile(0.99),
    };
  }

  private percentile(share: number): number {
    if (this.counts === undefined) return 0;
    let left = Math.ceil(this.count * share);
    const bucket = this.counts.findIndex((count) => (left -= count) <= 0);
    return bucket < 0 ? this.max : Math.min(this.max, middleOf(bucket) / 1_000);
  }
}

function bucketOf(microseconds: number): number {
  if (microseconds < STEPS) return microseconds;
  const doublings = 27 - Math.clz32(microseconds);
  return (doublings + 1) * STEPS + ((microseconds >> doublings) & (STEPS - 1));
}

function middleOf(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const doublings = Math.floor(bucket / STEPS) - 1;
  return (STEPS + (bucket % STEPS) + 0.5) * 2 ** doublings;
}
