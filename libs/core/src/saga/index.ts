export { defineSaga } from './define-saga.js';
export { buildSaga } from './builder/build-saga.js';
export type {
  Answer,
  Choice,
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
  keyed,
  type AbsentPolicy,
  type AnySaga,
  type CommonStringKey,
  type DataOf,
  type EndMeaning,
  type EventOf,
  type Keyed,
  type SagaDefinition,
  type SagaEvent,
  type SagaSpec,
  type SagaTypes,
  type StateOf,
  type UnansweredPolicy,
  type UndoOf,
} from './saga-types.js';
export type {
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
  SagaBehaviour,
  TransitionSpec,
  Trigger,
} from './behaviour.js';
export {
  CorrelationError,
  SagaConflictError,
  SagaDefinitionError,
  SagaVersionError,
  UnexpectedEventError,
  type DefinitionFault,
} from './saga-errors.js';
export { SagaEndedError, SagaWaitAbortedError, SagaWaitTimeoutError } from './wait/wait-errors.js';
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
