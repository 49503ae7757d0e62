import type { Clock } from '../../ports/clock.js';
import { systemClock } from '../../ports/system-clock.js';
import type { SharedBuckets, SharedBucketStore, TakeAnswer, TakeRequest } from './bucket-store.js';

interface Bucket {
  debt: number;
  at: number;
}

const MICROSECONDS = 1_000;

/** Shared buckets in this process: for tests and simulation, where several limiters stand for several nodes. */
export class MemoryBucketStore implements SharedBucketStore {
  private readonly limiters = new Map<string, Map<string | undefined, Bucket>>();

  constructor(private readonly clock: Clock = systemClock) {}

  take(
    { name, units }: SharedBuckets,
    requests: readonly TakeRequest[],
    now: number | null,
  ): Promise<readonly TakeAnswer[]> {
    const micros = Math.floor((now ?? this.clock.now()) * MICROSECONDS);
    const buckets = this.bucketsOf(name);
    const answers = requests.map(({ key, units: cost, count }) => {
      const bucket = buckets.get(key) ?? { debt: 0, at: micros };
      const elapsed = Math.max(0, micros - bucket.at);
      const paid = elapsed >= units.fillTime ? Infinity : elapsed * units.perMicrosecond;
      bucket.debt = Math.max(0, bucket.debt - paid);
      bucket.at = Math.max(bucket.at, micros);
      const granted = Math.min(count, Math.max(0, Math.floor((units.capacity - bucket.debt) / cost)));
      bucket.debt += granted * cost;
      if (bucket.debt > 0) buckets.set(key, bucket);
      else buckets.delete(key);
      return { granted, level: units.capacity - bucket.debt };
    });
    return Promise.resolve(answers);
  }

  fill({ name }: SharedBuckets, key: string | undefined): Promise<void> {
    const buckets = this.bucketsOf(name);
    if (key === undefined) buckets.clear();
    else buckets.delete(key);
    return Promise.resolve();
  }

  private bucketsOf(name: string): Map<string | undefined, Bucket> {
    const known = this.limiters.get(name);
    if (known !== undefined) return known;
    const buckets = new Map<string | undefined, Bucket>();
    this.limiters.set(name, buckets);
    return buckets;
  }
}

/** Makes a {@link MemoryBucketStore}. */
export function memoryBucketStore(clock?: Clock): MemoryBucketStore {
  return new MemoryBucketStore(clock);
}
