export {
  OrchestratorError,
  isOrchestratorError,
  type OrchestratorErrorOptions,
} from './errors/orchestrator-error.js';
export { StoreSchemaError, StoreTransactionError, StoreUnavailableError } from './errors/store-errors.js';
