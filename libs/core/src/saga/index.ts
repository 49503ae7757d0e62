export { defineSaga } from './define-saga.js';
export { buildSaga } from './builder/build-saga.js';
export type {
  Answer,
  Choice,
  LateAnswers,
  LateOtherwise,
  LateScope,
  LateWhen,
  Move,
  Otherwise,
  SagaBuilder,
  SagaGuard,
  StartScope,
  StartThen,
  StartWhen,
  StateScope,
  When,
} from './builder/builder-types.js';
export {
  analyzeSaga,
  type MatrixEntry,
  type SagaAnalysis,
  type UnansweredPair,
} from './analysis/analyze-saga.js';
export { steps } from './steps/steps.js';
export type {
  Branch,
  Branches,
  Compensations,
  ParallelOptions,
  RetriableBranches,
  RetriableChain,
  RetriableStep,
  Step,
  StepsChain,
  StepsOptions,
  StepsStart,
} from './steps/steps-types.js';
export {
  event,
  keyed,
  type AbsentPolicy,
  type AnySaga,
  type CommandOf,
  type CompositeEvent,
  type CommonStringKey,
  type DataOf,
  type Described,
  type EndMeaning,
  type EventEntry,
  type EventOf,
  type EventPolicies,
  type Join,
  type KeyCardinality,
  type Keyed,
  type KeyedOptions,
  type SagaDefinition,
  type SagaEvent,
  type SagaSpec,
  type SagaTypes,
  type SagaWords,
  type StateOf,
  type UnansweredPolicy,
  type UndoOf,
} from './saga-types.js';
export type { SagaPhase, StateNames, StateNode, StateNodes, StatePaths } from './states.js';
export type {
  CompensateOptions,
  CompensationContext,
  ContextOf,
  GuardContext,
  SagaContext,
  StartContext,
  StartContextOf,
} from './contexts.js';
export type {
  ErasedCompensation,
  ErasedGuard,
  ErasedHandler,
  HookSpec,
  SagaBehaviour,
  TransitionSpec,
  Trigger,
} from './behaviour.js';
export {
  CorrelationError,
  InstanceAbsentError,
  SagaBusyError,
  SagaConflictError,
  SagaDefinitionError,
  SagaDelayedError,
  SagaEndedVersionError,
  SagaEventUnknownError,
  SagaOtherBuildError,
  SagaKeyTakenError,
  SagaListingError,
  SagaMigrationError,
  SagaVersionError,
  UnexpectedEventError,
  type DefinitionFault,
} from './saga-errors.js';
export {
  ActivityCancelledError,
  ActivityRejectedError,
  ActivityStoppedError,
  ActivityTimeoutError,
} from './activity/activity-errors.js';
export type {
  ActivityFailure,
  ActivityRetry,
  ActivitySpec,
  ErasedActivity,
  InvokeOptions,
  SagaActivityContext,
} from './activity/activity-types.js';
export { SagaEndedError, SagaWaitAbortedError, SagaWaitTimeoutError } from './wait/wait-errors.js';
export {
  SagaOperator,
  type Audit,
  type DeadLetterOptions,
  type OperatorOutcome,
  type ReasonedAudit,
  type SagaTarget,
  type StepChoice,
} from './operator/saga-operator.js';
export { OperatorRefusedError } from './operator/operator-errors.js';
export type { SagaMigration, SagaMigrations } from './versions/saga-migration.js';
export type { UndoFailurePolicy, UndoPolicy } from './undo-policy.js';
export type { HandledSaga } from './run/joined-run.js';
export type { UndoStatus } from './run/undo-log.js';
export type {
  SagaHistoryEntry,
  SagaInstance,
  SagaListOptions,
  SagaPage,
  SagaReadOptions,
  SagaRepository,
  SagaWaitOptions,
  UndoStep,
} from './saga-repository.js';
