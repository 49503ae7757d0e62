import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** The instance did not come to where it was waited for in time. It goes on all the same. */
export class SagaWaitTimeoutError extends OrchestratorError {
  readonly code = 'SAGA_WAIT_TIMEOUT';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    /** State of the instance when last seen; `null`: there is none yet. */
    readonly state: string | null,
    readonly timeoutMs: number,
  ) {
    const found = state === null ? 'it does not exist yet' : `it is in '${state}'`;
    super(
      `The instance of saga '${saga}' did not get there within ${timeoutMs} ms: ${found}. Wait again, or longer.`,
    );
  }
}

/** The instance has ended elsewhere: it will never come to where it was waited for. */
export class SagaEndedError extends OrchestratorError {
  readonly code = 'SAGA_ENDED';
  constructor(
    readonly saga: string,
    readonly state: string,
    readonly status: string,
  ) {
    super(
      `The instance of saga '${saga}' has ended in '${state}' (${status}) and will not get to what was waited for. ` +
        `Wait for a list of all ends that may come.`,
    );
  }
}

/** The one who waited stopped: its signal aborted, or the node is shutting down. */
export class SagaWaitAbortedError extends OrchestratorError {
  readonly code = 'SAGA_WAIT_ABORTED';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    why: string,
    cause?: unknown,
  ) {
    super(`Nobody waits for the instance of saga '${saga}' any more: ${why}.`, { cause });
  }
}
