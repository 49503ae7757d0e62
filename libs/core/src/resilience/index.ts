export {
  BulkheadFullError,
  CallTimeoutError,
  CircuitOpenError,
  FallbackFailedError,
  RateLimitExceededError,
  ResilienceOptionError,
  SharedStoreTimeoutError,
} from './errors.js';
export {
  LocalRateLimiter,
  rateLimiter,
  type RateLimiter,
  type RateLimiterStatistics,
  type RateLimitView,
} from './limiter/rate-limiter.js';
export type { RateLimiterOptions, RateLimitRejection } from './limiter/limiter-options.js';
export { CircuitBreaker, circuitBreaker } from './breaker/circuit-breaker.js';
export type { CircuitBreakerOptions } from './breaker/breaker-options.js';
export type {
  CircuitCause,
  CircuitEvent,
  CircuitSnapshot,
  CircuitState,
  CircuitStatistics,
  ClosedState,
  HalfOpenState,
  IsolatedState,
  OpenState,
} from './breaker/circuit-state.js';
export { policy, type AddedBy, type Call, type Policy } from './policies/policy.js';
export { Bulkhead, bulkhead, type BulkheadOptions, type BulkheadStatistics } from './policies/bulkhead.js';
export { fallback, type FallbackOptions } from './policies/fallback.js';
export { retry, type RetryEvent, type RetryOptions } from './policies/retry.js';
export type { Backoff } from './policies/backoff.js';
export { RetryBudget, type RetryBudgetOptions } from './policies/retry-budget.js';
export { timeout, type TimeoutOptions } from './policies/timeout.js';
export { SharedRateLimiter, type SharedRateLimiterStatistics } from './shared/shared-rate-limiter.js';
export type { LeaseOptions, SharedRateLimiterOptions } from './shared/shared-limiter-options.js';
export type { StoreAvailability } from './shared/store-link.js';
export type { SharedBuckets, SharedBucketStore, TakeAnswer, TakeRequest } from './shared/bucket-store.js';
export { MemoryBucketStore, memoryBucketStore } from './shared/memory-bucket-store.js';
export { SharedCircuitBreaker, type SharedCircuitStatistics } from './shared/shared-circuit-breaker.js';
export type { SharedCircuitBreakerOptions } from './shared/shared-breaker-options.js';
export type {
  ProbeAnswer,
  ProbeRound,
  SharedCircuit,
  SharedCircuitChange,
  SharedCircuitStore,
} from './shared/circuit-store.js';
export { MemoryCircuitStore, memoryCircuitStore } from './shared/memory-circuit-store.js';
