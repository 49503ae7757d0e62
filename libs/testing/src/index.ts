export {
  instanceStoreConformance,
  type ConformanceCase,
  type InstanceStoreHarness,
  type OpenedStore,
} from './conformance/instance-store/index.js';
export {
  transportConformance,
  type OpenedTransport,
  type SmallRegistries,
  type TransportAbilities,
  type TransportHarness,
} from './conformance/transport/index.js';
export {
  orchestratorFamilyConformance,
  serveFamily,
  type FamilyAbilities,
  type FamilyHarness,
  type FamilyLine,
  type FamilyOptions,
  type FamilyProcess,
  type FamilyService,
  type OpenedFamily,
} from './conformance/orchestrator-family/index.js';
export { ConformanceFailure } from './conformance/checks.js';
export {
  VirtualClock,
  VirtualClockError,
  type RunAllOptions,
  type VirtualClockOptions,
} from './clock/virtual-clock.js';
export { NotSettledError, type IdleHook } from './clock/settling.js';
export {
  MachineRecorder,
  type EffectPattern,
  type FailurePattern,
  type TransitionPattern,
} from './recorder/machine-recorder.js';
export type { RecordedEffect, RecorderEntry } from './recorder/recorded-line.js';
export { RecorderAssertionError } from './recorder/recorder-error.js';
export { countedIds } from './clock/counted-ids.js';
export { seededRandom } from './clock/seeded-random.js';
export { faultPoints, type FaultRecorder, type Pause } from './faults/fault-points.js';
export {
  simulate,
  SimulationFailure,
  SimulationNotRepeatable,
  type SimulationOptions,
  type SimulationReport,
} from './simulation/simulate.js';
export { planOf, type SimulatedFault, type SimulationPlan, type SimulationSize } from './simulation/plan.js';
export { runPlan, type SimulationResult } from './simulation/run.js';
export type { SimulatedApplication, SimulatedInput, SimulationScenario } from './simulation/scenario.js';
export {
  SagaExpectationError,
  SagaTest,
  SagaTestFailure,
  testSaga,
  type SagaTestOptions,
} from './saga/saga-test.js';
export type { SentMessage } from './saga/sent-messages.js';
