export type { Cancellable, Clock } from './clock.js';
export type { IdSource, Random } from './ids.js';
export { systemClock, systemRandom, uuidSource } from './system-clock.js';
export type { Scheduler } from './scheduler.js';
export { systemScheduler } from './system-scheduler.js';
export { silentLogger, type LogFields, type Logger } from './logger.js';
export { openUndoSteps } from './undo-steps.js';
export { noFaults, type FaultPoints } from './fault-points.js';
export type {
  ArchivedInstance,
  CensusLine,
  ClaimedWork,
  DeadLetter,
  DeliveryRecord,
  DueTimer,
  HistoryRecord,
  InboxRecord,
  InstanceRef,
  InstanceState,
  JsonText,
  KeyClaim,
  KeyRecord,
  SagaName,
  SagaStatus,
  Settlement,
  StoredHistory,
  CurrentInstance,
  StoredInstance,
  TimerRecord,
  Tombstone,
  WorkKey,
  WorkRecord,
} from './records.js';
export type { InstanceFilter, InstancePage } from './instance-listing.js';
export type {
  AtInstant,
  ClaimRequest,
  Claimed,
  Commit,
  CommitResult,
  DeadLetterFilter,
  Consumption,
  Finish,
  FinishResult,
  InstanceStore,
  LeaseRequest,
  LeaseResult,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  PurgeRequest,
  Purged,
  RemoveRequest,
  SettleRequest,
  StoreTransaction,
  WriteOptions,
} from './instance-store.js';
export type {
  Endpoint,
  FrameReceiver,
  JoinOptions,
  NamedEntry,
  Peer,
  PeerState,
  Transport,
  TransportSeat,
  TransportStatistics,
} from './transport.js';
export type {
  FrameLetter,
  GivenBack,
  GivenUp,
  LetterRange,
  OwnedPartition,
  PartitionedFrame,
  PartitionedSeat,
  PartitionedTransport,
  PartitionLoss,
  PartitionReceiver,
} from './partitioned-transport.js';
