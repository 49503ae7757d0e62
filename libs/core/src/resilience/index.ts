export {
  BulkheadFullError,
  CallTimeoutError,
  CircuitOpenError,
  FallbackFailedError,
  RateLimitExceededError,
  ResilienceOptionError,
} from './errors.js';
export {
  LocalRateLimiter,
  rateLimiter,
  type RateLimiter,
  type RateLimiterStatistics,
  type RateLimitView,
} from './limiter/rate-limiter.js';
export type { RateLimiterOptions, RateLimitRejection } from './limiter/limiter-options.js';
