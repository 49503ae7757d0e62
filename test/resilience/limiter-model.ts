/** A rate as a fraction of tokens per second. */
export interface Rate {
  readonly tokens: number;
  readonly seconds: number;
}

interface Waiting {
  readonly id: number;
  readonly units: bigint;
}

interface Bucket {
  level: bigint;
  at: number;
  queue: Waiting[];
}

const HUNDREDTHS = 100;

/** The plain reference: one bucket per key for ever, exact fractions, whole milliseconds. */
export class LimiterModel {
  private readonly buckets = new Map<string | undefined, Bucket>();
  private readonly capacity: bigint;
  private readonly perMs: bigint;
  readonly granted: number[] = [];
  now = 0;

  constructor(
    private readonly rate: Rate,
    private readonly burst: number,
  ) {
    this.capacity = this.unitsOf(burst);
    this.perMs = BigInt(rate.tokens * HUNDREDTHS);
  }

  tryAcquire(key: string | undefined, cost: number): boolean {
    const bucket = this.bucketOf(key);
    const units = this.unitsOf(cost);
    if (bucket.queue.length > 0 || bucket.level < units) return false;
    bucket.level -= units;
    return true;
  }

  /** What another limiter let through. Says whether it was there. */
  spend(key: string | undefined, cost: number): boolean {
    const bucket = this.bucketOf(key);
    bucket.level -= this.unitsOf(cost);
    return bucket.level >= 0n;
  }

  acquire(key: string | undefined, cost: number, id: number): void {
    this.bucketOf(key).queue.push({ id, units: this.unitsOf(cost) });
    this.serve(this.bucketOf(key));
  }

  abort(id: number): void {
    for (const bucket of this.buckets.values()) {
      bucket.queue = bucket.queue.filter((waiting) => waiting.id !== id);
      this.serve(bucket);
    }
  }

  tokens(key: string | undefined): number {
    return Number(this.bucketOf(key).level) / Number(this.unitsOf(1));
  }

  reset(key: string | undefined): void {
    const bucket = this.bucketOf(key);
    bucket.level = this.capacity;
    this.serve(bucket);
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const due = Math.min(...[...this.buckets.values()].map((bucket) => this.nextGrant(bucket)));
      if (due > until) break;
      this.now = due;
      for (const bucket of this.buckets.values()) this.serve(bucket);
    }
    this.now = until;
  }

  private unitsOf(cost: number): bigint {
    return BigInt(Math.round(cost * HUNDREDTHS)) * BigInt(this.rate.seconds * 1_000);
  }

  private bucketOf(key: string | undefined): Bucket {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      bucket = { level: this.unitsOf(this.burst), at: this.now, queue: [] };
      this.buckets.set(key, bucket);
    }
    this.fill(bucket);
    return bucket;
  }

  private fill(bucket: Bucket): void {
    const level = bucket.level + BigInt(this.now - bucket.at) * this.perMs;
    bucket.level = level > this.capacity ? this.capacity : level;
    bucket.at = this.now;
  }

  private nextGrant(bucket: Bucket): number {
    const [head] = bucket.queue;
    if (head === undefined) return Infinity;
    const missing = head.units - bucket.level;
    return bucket.at + Number((missing + this.perMs - 1n) / this.perMs);
  }

  private serve(bucket: Bucket): void {
    this.fill(bucket);
    while (bucket.queue[0] !== undefined && bucket.queue[0].units <= bucket.level) {
      const head = bucket.queue.shift() as Waiting;
      bucket.level -= head.units;
      this.granted.push(head.id);
    }
  }
}
