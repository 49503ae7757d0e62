/** The mark by which errors of another copy of this package are known. */
const MARK = Symbol.for('@nestjs-orchestrator/error');

/** Options of every {@link OrchestratorError}. */
export interface OrchestratorErrorOptions {
  readonly cause?: unknown;
}

/**
 * Base of all errors of the framework. `code` is stable and meant for programs; `message` says what happened, with which value,
 * and what to do.
 */
export abstract class OrchestratorError extends Error {
  abstract readonly code: string;
  /** Whether trying the same again later can succeed. */
  readonly retryable: boolean = false;

  constructor(message: string, options: OrchestratorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Object.defineProperty(this, MARK, { value: true });
    this.name = new.target.name;
  }
}

/** Whether `value` is an error of this framework, also one of another copy of the package. */
export function isOrchestratorError(value: unknown): value is OrchestratorError {
  return value instanceof Error && (value as { [MARK]?: unknown })[MARK] === true;
}
