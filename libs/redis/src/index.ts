export { StoreServerError } from './errors.js';
export type { RedisStoreOptions } from './options.js';
export { redisStore } from './redis-store.js';
export { RedisBucketStore } from './resilience/redis-bucket-store.js';
export type { RedisResilienceOptions } from './resilience/resilience-options.js';
export { redisRateLimiter } from './resilience/redis-rate-limiter.js';
export type { RedisClient } from './resilience/script.js';
export { RedisCircuitStore } from './resilience/redis-circuit-store.js';
export { redisCircuitBreaker } from './resilience/redis-circuit-breaker.js';
export type { RedisStreamsOptions } from './streams/options.js';
export { redisStreams } from './streams/redis-streams.js';
export {
  inspectStreams,
  type InspectStreamsOptions,
  type StreamsPartition,
  type StreamsProcess,
  type StreamsReport,
} from './streams/inspect.js';
