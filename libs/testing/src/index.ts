export {
  instanceStoreConformance,
  type ConformanceCase,
  type InstanceStoreHarness,
  type OpenedStore,
} from './conformance/instance-store/index.js';
export { ConformanceFailure } from './conformance/checks.js';
export {
  VirtualClock,
  VirtualClockError,
  type RunAllOptions,
  type VirtualClockOptions,
} from './clock/virtual-clock.js';
export { NotSettledError, type IdleHook } from './clock/settling.js';
export { countedIds } from './clock/counted-ids.js';
export { seededRandom } from './clock/seeded-random.js';
export { faultPoints, type FaultRecorder, type Pause } from './faults/fault-points.js';
