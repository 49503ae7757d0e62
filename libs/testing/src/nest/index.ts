export {
  OrchestratorTestingModule,
  createOrchestratorTestingModule,
  type OrchestratorTestingOptions,
} from './orchestrator-testing-module.js';
