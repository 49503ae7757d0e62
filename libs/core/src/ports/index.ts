export type { Cancellable, Clock } from './clock.js';
export type { IdSource, Random } from './ids.js';
export { systemClock, systemRandom, uuidSource } from './system-clock.js';
export type { Scheduler } from './scheduler.js';
export { systemScheduler } from './system-scheduler.js';
export { silentLogger, type LogFields, type Logger } from './logger.js';
export { noFaults, type FaultPoints } from './fault-points.js';
export type {
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
  SagaStatus,
  StoredHistory,
  CurrentInstance,
  StoredInstance,
  TimerRecord,
  WorkKey,
  WorkRecord,
} from './records.js';
export type {
  AtInstant,
  ClaimRequest,
  Claimed,
  Commit,
  CommitResult,
  Finish,
  FinishResult,
  InstanceFilter,
  InstancePage,
  InstanceStore,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  StoreTransaction,
  WriteOptions,
} from './instance-store.js';
