export {
  OrchestratorTestingModule,
  createOrchestratorTestingModule,
  type OrchestratorTestingOptions,
} from './orchestrator-testing-module.js';
export { testSaga, type SagaClassTestOptions } from './test-saga.js';
