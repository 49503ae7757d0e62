export {
  instanceStoreConformance,
  type ConformanceCase,
  type InstanceStoreHarness,
  type OpenedStore,
} from './conformance/instance-store/index.js';
export { ConformanceFailure } from './conformance/checks.js';
