import type {
  Bulkhead,
  BulkheadOptions,
  CircuitBreakerOptions,
  CircuitState,
  Policy,
  RateLimiter,
  RateLimiterOptions,
  RetryBudget,
  RetryBudgetOptions,
} from '@nestjs-orchestrator/core/resilience';

/** What a circuit breaker made elsewhere must have, for example one whose state is shared by several nodes. */
export interface CircuitBreakerLike extends Policy {
  /** How it stands; shown by `OrchestratorHealth`. */
  readonly state: { readonly kind: CircuitState['kind'] };
}

/** What a rate limiter made elsewhere must have, for example one that is shared by several nodes. */
export interface RateLimiterLike extends RateLimiter {
  /** Counts; shown by `OrchestratorHealth` where there are any. */
  statistics?(): { readonly allowed: number; readonly refused: number; readonly waiting: number };
}

/**
 * The application's limiters, breakers, bulkheads and retry budgets by name: what `@UseCircuitBreaker('payments')` and
 * `@InjectCircuitBreaker('payments')` mean. Each is made once per application, with its clock and randomness, from options; or it is
 * an object made elsewhere, which is used as it is and stays its maker's to close.
 */
export interface ResilienceOptions {
  readonly breakers?: Readonly<Record<string, CircuitBreakerOptions | CircuitBreakerLike>>;
  readonly limiters?: Readonly<Record<string, RateLimiterOptions | RateLimiterLike>>;
  readonly bulkheads?: Readonly<Record<string, BulkheadOptions | Bulkhead>>;
  /** Retries that all methods of one service share, so that an outage is not multiplied by them. */
  readonly retryBudgets?: Readonly<Record<string, RetryBudgetOptions | RetryBudget>>;
}

/**
 * Names that can be injected. `forRoot` sees them in its options; `forRootAsync` is told, because providers must be known before its
 * factory has run.
 */
export interface ResilienceNames {
  /** Circuit breakers for `@InjectCircuitBreaker`. */
  readonly breakers?: readonly string[];
  /** Rate limiters for `@InjectRateLimiter`. */
  readonly limiters?: readonly string[];
}
