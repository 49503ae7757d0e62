import type {
  SharedBuckets,
  SharedBucketStore,
  TakeAnswer,
  TakeRequest,
} from '@nestjs-orchestrator/core/resilience';
import { bucketKey, generationKey, partitionOf } from './bucket-keys.js';
import { redisResilienceSettings, type RedisResilienceOptions } from './resilience-options.js';
import { Script, type RedisClient } from './script.js';
import { TAKE_TOKENS } from './take-tokens.script.js';

interface Partition {
  readonly requests: TakeRequest[];
  /** Where the answers belong. */
  readonly places: number[];
}

const takeTokens = new Script(TAKE_TOKENS);
const MICROSECONDS = 1_000;
/** Milliseconds that a bucket is kept beyond the instant at which it is full again. */
const OUTLIVE_MS = 1_000;
/** The same where the instant is given: that clock may stand still while the server's goes on. */
const OUTLIVE_GIVEN_MS = 3_600_000;

/**
 * Buckets in Redis, one short string per key that is not full, which expires when it would be full. One script call per turn and partition.
 * What a failover of the server forgets is given out again.
 */
export class RedisBucketStore implements SharedBucketStore {
  private readonly prefix: string;
  private readonly partitions: number;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(
    private readonly redis: RedisClient,
    options: RedisResilienceOptions = {},
  ) {
    const { prefix, partitions } = redisResilienceSettings(options);
    this.prefix = prefix;
    this.partitions = partitions;
  }

  async take(
    buckets: SharedBuckets,
    requests: readonly TakeRequest[],
    now: number | null,
  ): Promise<readonly TakeAnswer[]> {
    if (this.partitions === 1) return this.takeIn(0, buckets, requests, now);
    const answers = new Array<TakeAnswer>(requests.length);
    const parts = [...this.parted(requests)].map(async ([at, { requests: part, places }]) => {
      const given = await this.takeIn(at, buckets, part, now);
      for (const [index, place] of places.entries()) answers[place] = given[index] as TakeAnswer;
    });
    await Promise.all(parts);
    return answers;
  }

  async fill(buckets: SharedBuckets, key: string | undefined): Promise<void> {
    if (key !== undefined) {
      await this.redis.unlink(this.keyOf(this.partitionOf(key), buckets, key));
      return;
    }
    const partitions = Array.from({ length: this.partitions }, (_, at) => at);
    await Promise.all(partitions.map((at) => this.redis.incr(generationKey(this.prefix, buckets.name, at))));
  }

  private async takeIn(
    partition: number,
    buckets: SharedBuckets,
    requests: readonly TakeRequest[],
    now: number | null,
  ): Promise<readonly TakeAnswer[]> {
    const { perMicrosecond, capacity, fillTime } = buckets.units;
    const keys = [generationKey(this.prefix, buckets.name, partition)];
    const indexes = new Map<string | undefined, number>();
    const instant = now === null ? '' : Math.floor(now * MICROSECONDS);
    const outlive = now === null ? OUTLIVE_MS : OUTLIVE_GIVEN_MS;
    const args: (string | number)[] = [instant, perMicrosecond, capacity, fillTime, outlive];
    for (const { key, units, count } of requests) {
      let index = indexes.get(key);
      if (index === undefined) {
        index = keys.push(this.keyOf(partition, buckets, key)) - 1;
        indexes.set(key, index);
      }
      args.push(index, units, count);
    }
    const answers = (await takeTokens.run(this.redis, keys, args)) as number[];
    return requests.map((_, at) => ({
      granted: answers[at * 2] as number,
      level: answers[at * 2 + 1] as number,
    }));
  }

  private parted(requests: readonly TakeRequest[]): Map<number, Partition> {
    const parts = new Map<number, Partition>();
    for (const [place, request] of requests.entries()) {
      const at = this.partitionOf(request.key);
      const part = parts.get(at) ?? { requests: [], places: [] };
      part.requests.push(request);
      part.places.push(place);
      parts.set(at, part);
    }
    return parts;
  }

  private partitionOf(key: string | undefined): number {
    return partitionOf(key, this.partitions);
  }

  private keyOf(partition: number, { name, units }: SharedBuckets, key: string | undefined): string {
    return bucketKey(this.prefix, name, partition, units.perToken, key);
  }
}
