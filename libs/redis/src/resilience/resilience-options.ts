import { ResilienceOptionError } from '@nestjs-orchestrator/core/resilience';

/** Where shared limiters and breakers lie in Redis. */
export interface RedisResilienceOptions {
  /** Begins every key and channel. Default: `'orchestrator'`. */
  readonly prefix?: string;
  /**
   * Hash tags over which the buckets of one limiter are spread, 1 to 1 024: more than one spreads a limiter over the nodes of a Redis cluster, at the
   * price of as many calls as partitions are touched in one turn. All nodes must say the same. Default: 1.
   */
  readonly partitions?: number;
}

const MOST_PARTITIONS = 1_024;

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function redisResilienceSettings({
  prefix = 'orchestrator',
  partitions = 1,
}: RedisResilienceOptions): Required<RedisResilienceOptions> {
  if (!/^[^{}]{1,200}$/.test(prefix)) {
    throw new ResilienceOptionError('prefix', 'must be a text of 1 to 200 characters without braces', prefix);
  }
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > MOST_PARTITIONS) {
    const rule = `must be a whole number between 1 and ${MOST_PARTITIONS}`;
    throw new ResilienceOptionError('partitions', rule, partitions);
  }
  return { prefix, partitions };
}
