export { OrchestratorModule } from './module/orchestrator.module.js';
export type {
  OrchestratorModuleAsyncExtras,
  OrchestratorModuleExtras,
  OrchestratorModuleOptions,
} from './module/orchestrator-options.js';
export {
  CallSignal,
  UseBulkhead,
  UseCircuitBreaker,
  UseFallback,
  UseRateLimit,
  UseRetry,
  UseTimeout,
} from './resilience/resilience.decorators.js';
export type {
  FallbackDecorator,
  PromiseMethodDecorator,
  UseFallbackOptions,
  UseRateLimitOptions,
  UseRetryOptions,
} from './resilience/resilience-decorators.types.js';
export {
  InjectCircuitBreaker,
  InjectRateLimiter,
  getCircuitBreakerToken,
  getRateLimiterToken,
} from './resilience/resilience.tokens.js';
export { RateLimitGuard } from './resilience/http/rate-limit.guard.js';
export type { HttpRequest, RateLimitGuardOptions } from './resilience/http/rate-limit-guard.options.js';
export {
  protectClient,
  type MicroserviceClient,
  type ProtectedClient,
} from './resilience/protected-client.js';
export type {
  CircuitBreakerLike,
  RateLimiterLike,
  ResilienceNames,
  ResilienceOptions,
} from './resilience/resilience-options.js';
export { InjectSagaRepository, getSagaRepositoryToken } from './feature/saga-repository.tokens.js';
export { OrchestratorHealth, type OrchestratorHealthResult } from './health/orchestrator.health.js';
export type { LimiterHealth } from './health/resilience-health.js';
export { NestLogger } from './logging/nest-logger.js';
export {
  OrchestratorBootError,
  OrchestratorConfigurationError,
  type BootFault,
  type BootFaultCode,
} from './boot-errors.js';
export { sagaDecorators } from './saga/saga.decorator.js';
export type {
  AfterOptions,
  AlwaysOptions,
  HandlerResult,
  InternalOptions,
  LateOptions,
  MethodDecoratorFor,
  OnDecorator,
  OnOptions,
  SagaDecorators,
  TimerDecoratorFor,
} from './saga/saga-decorators.types.js';
export { Handles, type HandlesOptions } from './handlers/handles.decorator.js';
export { DecoratorTargetError } from './decorator-target.js';
export {
  HandlerError,
  HandlerTimeoutError,
  MessageBus,
  MessageValidationError,
  NoReplyError,
  NoRouteError,
  NotAMessageError,
  NotJsonError,
  OrchestratorError,
  PayloadTooLargeError,
  RequestAbortedError,
  RequestFailedError,
  ReplyTimeoutError,
  StoreSchemaError,
  StoreTransactionError,
  StoreUnavailableError,
  UnexpectedReplyError,
  isOrchestratorError,
  message,
  messageTypeOf,
  milliseconds,
  parseMessage,
  type,
  type Duration,
  type Envelope,
  type Json,
  type JsonOnly,
  type MessageContext,
  type MessageType,
  type OrchestratorErrorOptions,
  type OutputOf,
  type PublishOptions,
  type PublishReceipt,
  type BusRequestOptions,
  type Schema,
  type SendOptions,
  type SchemaIssue,
  type SchemaResult,
  type TransactionalBus,
} from '@nestjs-orchestrator/core';
export {
  CorrelationError,
  SagaConflictError,
  SagaDefinitionError,
  SagaEndedError,
  SagaVersionError,
  SagaWaitAbortedError,
  SagaWaitTimeoutError,
  UnexpectedEventError,
  buildSaga,
  defineSaga,
  event,
  keyed,
  type AbsentPolicy,
  type AnySaga,
  type CompositeEvent,
  type CompensationContext,
  type ContextOf,
  type DataOf,
  type DefinitionFault,
  type Described,
  type EndMeaning,
  type EventPolicies,
  type GuardContext,
  type KeyCardinality,
  type Keyed,
  type KeyedOptions,
  type SagaBehaviour,
  type SagaBuilder,
  type SagaContext,
  type SagaDefinition,
  type SagaHistoryEntry,
  type SagaInstance,
  type SagaListOptions,
  type SagaPage,
  type SagaPhase,
  type SagaReadOptions,
  type SagaRepository,
  type SagaSpec,
  type SagaWaitOptions,
  type SagaWords,
  type StartContext,
  type StartContextOf,
  type StateNode,
  type StateNodes,
  type StateOf,
  type UnansweredPolicy,
  type UndoStep,
} from '@nestjs-orchestrator/core/saga';
export type { LogFields, Logger as OrchestratorLogger, SagaStatus } from '@nestjs-orchestrator/core/ports';
export {
  BulkheadFullError,
  CallTimeoutError,
  CircuitBreaker,
  CircuitOpenError,
  FallbackFailedError,
  RateLimitExceededError,
  ResilienceOptionError,
  policy,
  type RateLimiter,
} from '@nestjs-orchestrator/core/resilience';
