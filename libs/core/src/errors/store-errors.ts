import { OrchestratorError } from './orchestrator-error.js';

/** The database can't be reached or did not answer; the work is kept and tried again. */
export class StoreUnavailableError extends OrchestratorError {
  readonly code = 'STORE_UNAVAILABLE';
  override readonly retryable = true;
}

/** The store's schema does not fit this build. */
export class StoreSchemaError extends OrchestratorError {
  readonly code = 'STORE_SCHEMA';
  constructor(
    message: string,
    /** Version found in the store. */
    readonly found: number,
    /** Highest version this build knows. */
    readonly known: number,
  ) {
    super(message);
  }
}

/** `within()` was given something that is no transaction of this store. */
export class StoreTransactionError extends OrchestratorError {
  readonly code = 'STORE_TRANSACTION';
}
