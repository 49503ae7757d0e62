import { OrchestratorError } from '@nestjs-orchestrator/core';

/** The Redis server can't carry the store: it is too old, or set up to forget. The message says which setting to change. */
export class StoreServerError extends OrchestratorError {
  readonly code = 'STORE_SERVER';
}
