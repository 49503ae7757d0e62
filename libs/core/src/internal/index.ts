export { OrchestratorHost } from '../host/orchestrator-host.js';
export { DuplicateSagaError } from '../host/registry.js';
export type { HostOptions } from '../host/host-options.js';
export type { HostHealth } from '../host/host-health.js';
export { compileSaga } from '../saga/compile/compile-saga.js';
export type { CompiledSaga } from '../saga/compile/compiled-saga.js';
