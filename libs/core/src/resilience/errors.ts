import { OrchestratorError, type OrchestratorErrorOptions } from '../errors/orchestrator-error.js';

const LONGEST_QUOTE = 64;

/** Long values are cut, so that a key of a megabyte makes no message of a megabyte. */
function quote(value: unknown): string {
  const text = typeof value === 'string' ? `'${value.slice(0, LONGEST_QUOTE)}'` : String(value);
  return typeof value === 'string' && value.length > LONGEST_QUOTE
    ? `${text}… (${value.length} characters)`
    : text;
}

/** An option or argument breaks its rule. Thrown at construction wherever it can be known then. */
export class ResilienceOptionError extends OrchestratorError {
  readonly code = 'RESILIENCE_OPTION';

  constructor(
    /** Name of the option or argument, for example `'burstCapacity'`. */
    readonly option: string,
    /** What must hold, for example `'must be a positive number'`. */
    readonly rule: string,
    /** What was found. */
    readonly value: unknown,
  ) {
    super(`Option '${option}' ${rule}; found ${quote(value)}.`);
  }
}

/** The rate limit of a key is used up. Trying again after `retryAfterMs` can succeed. */
export class RateLimitExceededError extends OrchestratorError {
  readonly code = 'RATE_LIMIT_EXCEEDED';
  override readonly retryable = true;

  constructor(
    /** The key, or `undefined` for the bucket without a key. */
    readonly key: string | undefined,
    /** Tokens that were asked for. */
    readonly cost: number,
    /** Milliseconds after which so many tokens will be there, rounded up. */
    readonly retryAfterMs: number,
    /**
     * Which bound was met: the bucket is empty, the queue is full, the wait would be too long, or the shared store is gone and
     * `whenUnavailable` is `'closed'`.
     */
    readonly reason: 'empty' | 'queue-full' | 'wait-too-long' | 'store-unavailable',
  ) {
    super(
      `Rate limit exceeded${key === undefined ? '' : ` for ${quote(key)}`} (${reason}): try again in ${retryAfterMs} ms.`,
    );
  }
}

/** The circuit breaker let no call through; the protected function was not called. */
export class CircuitOpenError extends OrchestratorError {
  readonly code = 'CIRCUIT_OPEN';
  override readonly retryable = true;

  constructor(
    /** Name of the breaker. */
    readonly breaker: string,
    /** Why: the break lasts, all probes are under way, or it was isolated by hand. */
    readonly state: 'open' | 'half-open' | 'isolated',
    /** Milliseconds until the next probe may be let through; `undefined` where nobody knows. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(
      `Circuit breaker '${breaker}' is ${state}${retryAfterMs === undefined ? '' : `: try again in ${retryAfterMs} ms`}.`,
    );
  }
}

/** All slots of a bulkhead and all places of its queue are taken; the function was not called. */
export class BulkheadFullError extends OrchestratorError {
  readonly code = 'BULKHEAD_FULL';
  override readonly retryable = true;

  constructor(
    readonly maxConcurrent: number,
    readonly maxQueue: number,
  ) {
    super(`Bulkhead is full: ${maxConcurrent} calls run and ${maxQueue} wait. Try again later.`);
  }
}

/** The call took longer than its time-out allows. Its signal was aborted with this error. */
export class CallTimeoutError extends OrchestratorError {
  readonly code = 'CALL_TIMEOUT';
  override readonly retryable = true;

  constructor(readonly timeoutMs: number) {
    super(`The call did not settle within ${timeoutMs} ms.`);
  }
}

/** A fallback threw as well. `cause` is what the fallback threw, `original` what it was called for. */
export class FallbackFailedError extends OrchestratorError {
  readonly code = 'FALLBACK_FAILED';

  constructor(
    /** The error of the protected call. */
    readonly original: unknown,
    options: OrchestratorErrorOptions,
  ) {
    super(
      `The fallback failed with ${quote(options.cause)} when it was called for ${quote(original)}.`,
      options,
    );
  }
}

/** The store that a shared limiter or breaker lives in did not answer in time. */
export class SharedStoreTimeoutError extends OrchestratorError {
  readonly code = 'SHARED_STORE_TIMEOUT';
  override readonly retryable = true;

  constructor(
    /** The `storeTimeout` that is over, in milliseconds. */
    readonly timeoutMs: number,
  ) {
    super(`The shared store did not answer within ${timeoutMs} ms (storeTimeout).`);
  }
}
