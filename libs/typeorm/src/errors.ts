import { OrchestratorError } from '@nestjs-orchestrator/core';

/** The DataSource can't carry the store: it is of another database, or not initialised. */
export class StoreDataSourceError extends OrchestratorError {
  readonly code = 'STORE_DATA_SOURCE';
}
