import { OrchestratorError } from '../errors/orchestrator-error.js';

/** A handler did something that it must not. */
export class HandlerError extends OrchestratorError {
  readonly code = 'HANDLER';
}

/** A handler took longer than its time-out; the attempt is dropped and tried again. */
export class HandlerTimeoutError extends OrchestratorError {
  readonly code = 'HANDLER_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly handler: string,
    readonly timeoutMs: number,
  ) {
    super(
      `${handler} did not settle within ${timeoutMs} ms. Send slow work as a command, or raise 'handlerTimeout'.`,
    );
  }
}
