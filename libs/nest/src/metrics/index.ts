export { OrchestratorMetricsModule, type OrchestratorMetricsOptions } from './orchestrator-metrics.module.js';
export { observeMicroservices } from './microservice-metrics.js';
export { observeOrchestrator } from './orchestrator-metrics.js';
export { observeBreakers, observeLimiters, type NamedStatistics } from './resilience-metrics.js';
