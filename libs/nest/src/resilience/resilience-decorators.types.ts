import type { RetryOptions } from '@nestjs-orchestrator/core/resilience';

/** A decorator for methods that return a promise and take arguments `A`. */
export type PromiseMethodDecorator<A extends readonly unknown[] = never[]> = <
  F extends (...args: A extends never[] ? never[] : [...A]) => Promise<unknown>,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/** A decorator for methods of `T` that return a promise of something that `V` is, too. */
export type FallbackDecorator<V, T extends object> = <F extends (...args: never[]) => Promise<unknown>>(
  target: T,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<F> & Returns<F, V>,
) => void;

type Returns<F extends (...args: never[]) => Promise<unknown>, V> = [V] extends [Awaited<ReturnType<F>>]
  ? unknown
  : { readonly 'the method does not return what the fallback gives': V };

/** Options of `@UseRateLimit`. */
export interface UseRateLimitOptions<A extends readonly unknown[]> {
  /** Whose limit a call counts for: a text, or one made from the arguments. Default: one limit for all calls. */
  readonly key?: string | ((...args: A) => string);
  /** Tokens that a call takes: a number, or one made from the arguments. Default: 1. */
  readonly cost?: number | ((...args: A) => number);
  /** Whether a call over the limit waits in line, within `maxWait` and `maxQueue` of the limiter. Default: `false`. */
  readonly wait?: boolean;
}

/** Options of `@UseRetry`: those of `retry()`, with the name of a budget in place of a budget. */
export interface UseRetryOptions extends Omit<RetryOptions, 'budget' | 'clock' | 'random'> {
  /** Name of one of `resilience.retryBudgets`, shared by all methods that name it. Default: none. */
  readonly budget?: string;
}

/** Options of `@UseFallback`. */
export interface UseFallbackOptions {
  /** Which errors call for the fallback; others pass. Default: all. A call that its caller has aborted never falls back. */
  readonly when?: (error: unknown) => boolean;
}
