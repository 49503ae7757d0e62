export {
  OrchestratorError,
  isOrchestratorError,
  type OrchestratorErrorOptions,
} from './errors/orchestrator-error.js';
export { StoredNamesError, type StoredNamesCheck } from './vocabulary/boot-check.js';
export type { Finding } from './vocabulary/check-census.js';
export type { Lack, LackKind } from './vocabulary/advice.js';
export { StoreSchemaError, StoreTransactionError, StoreUnavailableError } from './errors/store-errors.js';
export {
  EndpointTakenError,
  FrameTooLargeError,
  NameInvalidError,
  NameTakenError,
  PartitionFullError,
  PeerLostError,
  RegistryFullError,
  TransportClosedError,
  TransportUnavailableError,
} from './errors/transport-errors.js';
export {
  MessageValidationError,
  NotAMessageError,
  message,
  messageTypeOf,
  parseMessage,
  type MessageType,
} from './message/message.js';
export {
  type,
  type OutputOf,
  type Schema,
  type SchemaIssue,
  type SchemaResult,
} from './message/standard-schema.js';
export { NotJsonError, PayloadTooLargeError, type Json, type JsonOnly } from './message/json.js';
export { milliseconds, type Duration } from './message/duration.js';
export type { Envelope } from './message/envelope.js';
export {
  MessageBus,
  type PublishOptions,
  type PublishReceipt,
  type ScheduleOptions,
  type ScheduleSettings,
  type BusRequestOptions,
  type HandledReceipt,
  type HandleOptions,
  type TransactionalBus,
} from './bus/message-bus.js';
export { NoRouteError } from './bus/routes.js';
export {
  ScheduleConflictError,
  ScheduleError,
  UnreadableScheduleError,
} from './bus/schedule/schedule-errors.js';
export type { MissedPolicy, ScheduleTime } from './bus/schedule/schedule-plan.js';
export type { ScheduleInfo } from './bus/schedule/schedule-record.js';
export {
  NoReplyError,
  RemoteRequestError,
  RequestAbortedError,
  RequestFailedError,
  ReplyTimeoutError,
  UnexpectedReplyError,
} from './bus/request/request-errors.js';
export { HandlerError, HandlerTimeoutError } from './handling/handler-errors.js';
export type { SendOptions } from './handling/send-options.js';
export type { MessageContext, MessageHandler } from './bus/message-context.js';
export {
  ChannelGroup,
  Orchestrator,
  type DrainOptions,
  type RegisteredMachine,
  type SpawnOptions,
} from './orchestrator/orchestrator.js';
export { durableMachines, type DurableMachines } from './orchestrator/durable/durable-machines.js';
export type {
  DurableImplementations,
  DurableRef,
  DurableResult,
  DurableSendOptions,
} from './orchestrator/durable/durable-ref.js';
export type { DurableOptions } from './orchestrator/durable/group-durables.js';
export type { DurableMachinesOptions } from './orchestrator/durable/durable-options.js';
export type { DurableActionContext } from './orchestrator/durable/durable-effects.js';
export type { DurableActivityContext } from './orchestrator/durable/durable-activities.js';
export type {
  DurableLetter,
  DurableLetterOptions,
  LetterAudit,
  ReasonedLetterAudit,
} from './orchestrator/durable/durable-letters.js';
export {
  DeadLetterNameError,
  DeadLettersUnavailableError,
  type DeadLettersUnavailableReason,
  DurableConflictError,
  DurableGivenUpError,
  DurableLogicError,
  DurableRequestError,
  DurableUnavailableError,
  type DurableUnavailableReason,
  DurableVerbError,
  OwnerFencedError,
} from './orchestrator/durable/durable-errors.js';
export {
  DistributedStateStore,
  type DistributedStateStoreOptions,
  type FoundRecord,
  type WriteResult,
} from './orchestrator/durable/distributed-state-store.js';
export type {
  DurableActivity,
  DurableRecord,
  DurableTimer,
  PendingEffect,
} from './orchestrator/durable/durable-record.js';
export { globalOrchestrator, type GlobalOrchestrator } from './orchestrator/global/global-orchestrator.js';
export {
  createOrchestrator,
  type ClusterOptions,
  type OrchestratorOptions,
} from './orchestrator/create-orchestrator.js';
export { formatMachineAddress, parseMachineAddress } from './orchestrator/cluster/address.js';
export type { FullAddress } from './orchestrator/cluster/address.js';
export { gateway, type Gateway, type GatewayOptions } from './orchestrator/cluster/gateway/gateway.js';
export type { GatewayStatistics } from './orchestrator/cluster/gateway/gateway-node.js';
export type { ClusterLimits } from './orchestrator/cluster/cluster-options.js';
export type {
  ClusterMachine,
  ClusterProcess,
  ClusterStatistics,
} from './orchestrator/cluster/cluster-statistics.js';
export {
  ClusterUnreachableError,
  MachineAddressError,
  OutcomeUnknownError,
  PeerProtocolError,
  RemoteFailureError,
  RemoteMachineError,
  TransportTypeError,
} from './orchestrator/cluster/cluster-errors.js';
export type { ChannelGroupOptions, GroupIdentity, PoolOptions } from './orchestrator/options.js';
export type {
  EventResult,
  GroupAddress,
  MachineAddress,
  MachineRef,
  MachineSendOptions,
  RequestOptions,
  WaitOptions,
} from './orchestrator/machine-ref.js';
export type {
  ActionContext,
  ActivityContext,
  DelayedOptions,
  GuardContext,
  OrchestratedContext,
  Target,
} from './orchestrator/contexts.js';
export type {
  ActionImplementation,
  ActionNameOf,
  ActivityImplementation,
  ActivityNameOf,
  DelayImplementation,
  DelayNameOf,
  GuardImplementation,
  GuardNameOf,
  MachineImplementations,
} from './orchestrator/implementations.js';
export type {
  ClusterRecord,
  FailureKind,
  MachineRecord,
  OrchestratorRecord,
  RecordedMachine,
  SlowPart,
  RecordStream,
  RecordType,
  StopReason,
  SubscribeOptions,
} from './orchestrator/records.js';
export type {
  CounterName,
  GlobalStatistics,
  DurableStatistics,
  GroupStatistics,
  LatencyStatistics,
  MetricsListener,
  OrchestratorCounters,
  OrchestratorHealth,
  PoolStatistics,
} from './orchestrator/statistics.js';
export {
  ActionTimeoutError,
  CeilingError,
  DrainTimeoutError,
  DuplicateIdError,
  DuplicateMachineError,
  EventInvalidError,
  EventPayloadError,
  GroupReleasedError,
  GroupUnreachableError,
  MachineIdError,
  MachineStartingError,
  MachineStoppedError,
  OrchestratorOptionError,
  ProtocolMismatchError,
  RequestCycleError,
  RequestTimeoutError,
  StepEndedError,
  StepError,
  UnboundNamesError,
  UnknownMachineError,
  UnsupportedLogicError,
  WaitTimeoutError,
} from './orchestrator/errors.js';
export {
  and,
  assign,
  cancel,
  defineMachine,
  emit,
  enqueueActions,
  hasTag,
  machineTypes,
  matches,
  namesIn,
  not,
  or,
  provide,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateIn,
  stateValue,
  stopChild,
  type ContextOf as MachineContextOf,
  type EventObject,
  type EventOf as MachineEventOf,
  type Machine,
  type NameUse,
  type Snapshot,
  type StateOf as MachineStateOf,
  type StateValue,
} from '@nestjs-orchestrator/statechart';
export {
  BatchService,
  type Batch,
  type BatchServiceOptions,
  type MachineBatchQuery,
  type SagaBatchQuery,
} from './batch/batch-service.js';
export type { BatchOptions } from './batch/batch-options.js';
export type { BatchSource } from './batch/batch-run.js';
export {
  sagaGoal,
  type AskBatchRequest,
  type BatchRequest,
  type MachineBatchRequest,
  type PublishBatchRequest,
  type SagaGoal,
  type SagaGoalOptions,
  type SendBatchRequest,
} from './batch/batch-request.js';
export type {
  BatchEnd,
  BatchItemResult,
  BatchProgress,
  BatchResult,
  BatchTotals,
  FailedItem,
  NotStartedItem,
  SucceededItem,
} from './batch/batch-result.js';
export {
  BatchOptionError,
  BatchSourceError,
  BatchTargetError,
  BatchTimeoutError,
} from './batch/batch-errors.js';
export { protectMachine } from './protection/protect-machine.js';
export { protectSaga } from './protection/protect-saga.js';
export type { RejectedMessage, SagaProtection } from './protection/saga-protection.js';
export type { MachineProtection, RejectedEvent } from './protection/protection-options.js';
