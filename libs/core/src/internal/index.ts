export { OrchestratorHost } from '../host/orchestrator-host.js';
export type { RemoteRoute } from '../bus/remote/remote-consumer.js';
export { DuplicateSagaError } from '../host/registry.js';
export type { HostOptions } from '../host/host-options.js';
export type { HostHealth, HostStatistics } from '../host/host-health.js';
export type { SagaCounts } from '../saga/run/counting-observer.js';
export { compileSaga } from '../saga/compile/compile-saga.js';
export type { CompiledSaga } from '../saga/compile/compiled-saga.js';
export { knownSaga, type KnownSaga } from '../vocabulary/known-saga.js';
export { joinedBuild, type Build } from '../vocabulary/build.js';
export { checkCensus, type Finding } from '../vocabulary/check-census.js';
export type { Lack, LackKind } from '../vocabulary/advice.js';
export { Throttle } from '../handling/throttle.js';
export { parseJson } from '../message/json.js';
export {
  LastingPlace,
  type Place,
  type PlaceGround,
  type Term,
} from '../orchestrator/cluster/lasting-place.js';
export { letterName } from '../orchestrator/durable/letter-name.js';
export { closeDurables, expectDurables, startDurables } from '../orchestrator/durable/start-durables.js';
export { PIECE_OVERHEAD, PieceJoiner, piecesOf } from '../framing/pieces.js';
export { MalformedFrame, FrameOutOfOrder } from '../framing/malformed-frame.js';
