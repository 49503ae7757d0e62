export { OrchestratorHost } from '../host/orchestrator-host.js';
export type { RemoteRoute } from '../bus/remote/remote-consumer.js';
export { DuplicateSagaError } from '../host/registry.js';
export type { HostOptions } from '../host/host-options.js';
export type { HostHealth, HostStatistics } from '../host/host-health.js';
export type { SagaCounts } from '../saga/run/counting-observer.js';
export { compileSaga } from '../saga/compile/compile-saga.js';
export type { CompiledSaga } from '../saga/compile/compiled-saga.js';
export { Throttle } from '../handling/throttle.js';
