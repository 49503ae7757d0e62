import type { Duration } from '@nestjs-orchestrator/core';
import type {
  BulkheadOptions,
  CircuitBreakerOptions,
  RateLimiterOptions,
  RetryOptions,
} from '@nestjs-orchestrator/core/resilience';
import { DecoratorTargetError, assertInstanceMethod } from '../decorator-target.js';
import type {
  FallbackDecorator,
  PromiseMethodDecorator,
  UseFallbackOptions,
  UseRateLimitOptions,
  UseRetryOptions,
} from './resilience-decorators.types.js';
import { writeCallSignal, writePolicy, type PolicyRole } from './resilience.metadata.js';

/**
 * Calls of the method pass a circuit breaker: one of `resilience.breakers` by its name, or one of the method's own made of options.
 * While it is open, the method is not called and the call rejects with `CircuitOpenError`.
 *
 * All `@Use…` decorators stand on methods that return a promise, of providers that are singletons. **The topmost is outermost**, as the first of
 * `policy(…)` is: under `@UseRetry()`, `@UseCircuitBreaker('payments')`, `@UseTimeout('2s')` every attempt asks the breaker and gets two seconds.
 * They take effect when the application initialises (`onModuleInit` of the orchestrator), for each application by itself; calls through
 * `this` are protected as well.
 */
export function UseCircuitBreaker(breaker: string | CircuitBreakerOptions): PromiseMethodDecorator {
  return member('UseCircuitBreaker', { kind: 'breaker', use: breaker });
}

/**
 * Calls of the method pass a rate limiter: one of `resilience.limiters` by its name, or one of the method's own made of options. A call
 * over the limit rejects with `RateLimitExceededError` at once, or waits in line with `wait: true`. For the order of decorators see
 * {@link UseCircuitBreaker}.
 */
export function UseRateLimit<A extends readonly unknown[] = never[]>(
  limiter: string | RateLimiterOptions,
  options: UseRateLimitOptions<A> = {},
): PromiseMethodDecorator<A> {
  const { key, cost, wait = false } = options as UseRateLimitOptions<readonly unknown[]>;
  return member('UseRateLimit', { kind: 'limiter', use: limiter, key, cost, wait });
}

/**
 * At most so many calls of the method run at a time: with a bulkhead of `resilience.bulkheads` by its name, whose slots all methods
 * that name it share, or one of the method's own. The rest waits or rejects with `BulkheadFullError`. For the order of decorators see
 * {@link UseCircuitBreaker}.
 */
export function UseBulkhead(bulkhead: string | BulkheadOptions): PromiseMethodDecorator {
  return member('UseBulkhead', { kind: 'bulkhead', use: bulkhead });
}

/**
 * Calls the method again when it has failed: three times altogether, with decorrelated jitter, unless the options say otherwise. For
 * methods that may run again. For the order of decorators see {@link UseCircuitBreaker}.
 */
export function UseRetry(options: UseRetryOptions = {}): PromiseMethodDecorator {
  const { budget, ...rest } = options;
  return member('UseRetry', { kind: 'retry', options: rest satisfies RetryOptions, budget });
}

/**
 * A call that takes longer rejects with `CallTimeoutError`, and the signal that the method takes by {@link CallSignal} aborts. What
 * ignores the signal runs on. For the order of decorators see {@link UseCircuitBreaker}.
 *
 * @param after a duration such as `'2s'`, or milliseconds
 */
export function UseTimeout(after: Duration | number): PromiseMethodDecorator {
  return member('UseTimeout', { kind: 'timeout', after });
}

/**
 * Gives another value when the call has failed; it must be one that the method could have returned. For the order of decorators see
 * {@link UseCircuitBreaker}.
 *
 * ```ts
 * @UseFallback((_error, rates: Rates) => rates.lastKnown)
 * ```
 *
 * @param substitute makes the value from the error, the provider that the method belongs to and the arguments; what it throws
 * rejects the call with `FallbackFailedError`
 */
export function UseFallback<V, T extends object = object>(
  substitute: (error: unknown, instance: T, args: readonly unknown[]) => V | Promise<V>,
  { when }: UseFallbackOptions = {},
): FallbackDecorator<V, T> {
  const role = { kind: 'fallback', substitute: substitute as never, when } as const;
  return member('UseFallback', role);
}

/**
 * Stands on a parameter of a method with `@Use…` decorators: it is given the `AbortSignal` that ends the call early, or `undefined` where nothing can. A
 * signal that the caller passes in its place ends the call, and waits of its policies, as well.
 *
 * ```ts
 * @UseTimeout('2s')
 * charge(order: Order, @CallSignal() signal?: AbortSignal): Promise<Receipt> { return this.http.post(order, { signal }); }
 * ```
 */
export function CallSignal(): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined || typeof target === 'function') {
      throw new DecoratorTargetError(
        '@CallSignal stands on a parameter of a constructor or a static method. Put it on a method with @Use… decorators.',
      );
    }
    writeCallSignal(target.constructor, key, index);
  };
}

function member(decorator: string, role: PolicyRole): (target: object, key: string | symbol) => void {
  return (target, key) => {
    assertInstanceMethod(target, key, decorator);
    writePolicy(target.constructor, { key, role });
  };
}
