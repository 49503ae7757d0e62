import { SharedCircuitBreaker, type SharedCircuitBreakerOptions } from '@nestjs-orchestrator/core/resilience';
import { RedisCircuitStore } from './redis-circuit-store.js';
import type { RedisResilienceOptions } from './resilience-options.js';
import type { RedisClient } from './script.js';

/**
 * Makes a {@link SharedCircuitBreaker} on Redis, with a connection of its own for messages until it is closed. For many breakers make one
 * {@link RedisCircuitStore}, whose connection they share. The client stays the caller's; give it `enableOfflineQueue: false` and a small
 * `maxRetriesPerRequest`, so that an outage is told at once rather than after `storeTimeout`.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function redisCircuitBreaker(
  redis: RedisClient,
  { prefix, ...options }: SharedCircuitBreakerOptions & Pick<RedisResilienceOptions, 'prefix'>,
): SharedCircuitBreaker {
  const store = new RedisCircuitStore(redis, prefix === undefined ? {} : { prefix });
  return new SharedCircuitBreaker(store, options);
}
