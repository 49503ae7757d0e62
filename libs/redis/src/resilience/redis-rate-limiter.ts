import { SharedRateLimiter, type SharedRateLimiterOptions } from '@nestjs-orchestrator/core/resilience';
import { RedisBucketStore } from './redis-bucket-store.js';
import type { RedisResilienceOptions } from './resilience-options.js';
import type { RedisClient } from './script.js';

/**
 * Makes a {@link SharedRateLimiter} on Redis: by default 100 calls per second and key, 150 at once, over all nodes together. The client stays the caller's. Give it
 * `maxRetriesPerRequest` and `enableOfflineQueue: false`, so that an outage is told at once rather than after `storeTimeout`.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function redisRateLimiter(
  redis: RedisClient,
  { prefix, partitions, ...options }: SharedRateLimiterOptions & RedisResilienceOptions,
): SharedRateLimiter {
  const place = { ...(prefix !== undefined && { prefix }), ...(partitions !== undefined && { partitions }) };
  return new SharedRateLimiter(new RedisBucketStore(redis, place), options);
}
