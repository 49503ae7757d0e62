export { inspectSegment, type InspectOptions, type SegmentProcess, type SegmentReport } from './inspect.js';
export { sharedMemory } from './shared-memory.js';
export type { SharedMemoryOptions } from './options.js';
export {
  threadMemory,
  watchWorker,
  workerThreads,
  type ThreadMemoryOptions,
  type WorkerThreadsOptions,
} from './threads/worker-threads.js';
