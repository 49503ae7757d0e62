import { OrchestratorError, type OrchestratorErrorOptions } from '../errors/orchestrator-error.js';
import type { BatchResult } from './batch-result.js';

/** An option of a batch breaks its rule. */
export class BatchOptionError extends OrchestratorError {
  readonly code = 'BATCH_OPTION';

  constructor(
    readonly option: string,
    /** What must hold. */
    readonly rule: string,
    readonly value: unknown,
  ) {
    super(`Option '${option}' of a batch ${rule}; found ${String(value)}.`);
  }
}

/** A request needs something that this `BatchService` was made without. */
export class BatchTargetError extends OrchestratorError {
  readonly code = 'BATCH_TARGET';

  constructor(readonly missing: 'orchestrator' | 'bus') {
    super(
      `A request of the batch needs ${missing === 'bus' ? 'a message bus' : 'an orchestrator'}, and the BatchService was made without one. ` +
        `Pass it: new BatchService({ ${missing} }).`,
    );
  }
}

/** The time of the batch was over before this item settled. Whether it took effect is not known. */
export class BatchTimeoutError extends OrchestratorError {
  readonly code = 'BATCH_TIMEOUT';
  override readonly retryable = true;

  constructor(readonly timeoutMs: number) {
    super(`The batch took longer than its timeout of ${timeoutMs} ms.`);
  }
}

/** The requests of the batch could not be read to their end. `result` says what was done until then. */
export class BatchSourceError extends OrchestratorError {
  readonly code = 'BATCH_SOURCE';

  constructor(
    readonly result: BatchResult,
    options: OrchestratorErrorOptions,
  ) {
    const done = result.total - result.notStarted;
    super(
      `The requests of the batch could not be read after ${done} of them: ${String(options.cause)}.`,
      options,
    );
  }
}
