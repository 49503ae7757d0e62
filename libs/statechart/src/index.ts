export {
  type Args,
  assign,
  type BuiltinAction,
  cancel,
  type Data,
  emit,
  type Enqueue,
  type EnqueueArgs,
  enqueueActions,
  type Expression,
  log,
  raise,
  type SendOptions,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from './actions/creators.js';
export { machineTypes, type MachineTypes, type TypedBuilder } from './builder.js';
export { and, type BuiltinGuard, not, or, stateIn } from './guards/creators.js';
export { analyze, type Analysis } from './analysis/analyze.js';
export { namesIn, type NameUse } from './analysis/names.js';
export { toMermaid } from './export/to-mermaid.js';
export { toScxml } from './export/to-scxml.js';
export { toXStateJson, type XStateJson } from './export/to-xstate-json.js';
export {
  type DefinitionFault,
  ExpressionError,
  GuardError,
  InvalidDelayError,
  InvalidEventError,
  isStatechartError,
  MachineDefinitionError,
  MicrostepLimitError,
  ScxmlError,
  SnapshotError,
  StatechartError,
  UnboundNameError,
} from './errors.js';
export {
  actionOf,
  defineMachine,
  type BoundImplementations,
  type Implementations,
  type Machine,
  provide,
  watchCalls,
} from './machine.js';
export type { CallWatch } from './engine/runtime.js';
export { dehydrate, type Dehydrated, rehydrate } from './snapshot/dehydrate.js';
export { can, hasTag, isCurrent, matches, nextEvents, stateValue } from './snapshot/queries.js';
export { deserialize, serialize } from './snapshot/serialize.js';
export {
  initialMicrostep,
  initialSnapshot,
  initialTransition,
  microstep,
  raiseInternal,
  transition,
  withContext,
} from './transition.js';
export type { Effect, EventObject, Pending, Snapshot, StateValue, Step } from './types.js';
export type { ScxmlDataModel, Variables } from './scxml/data-model.js';
export { fromScxml } from './scxml/from-scxml.js';
export type { ScxmlInvocation } from './scxml/invoke.js';
export type { ScxmlOptions } from './scxml/source.js';
export type { CheckMachine, Names } from './typing/check-config.js';
export type { ConfigOf, ContextOf, EventOf, NamesOf, StateOf } from './typing/infer.js';
