export {
  inspectPipes,
  namedPipe,
  type InspectPipesOptions,
  type NamedPipeOptions,
  type PipeProcess,
  type PipeReport,
} from './named-pipe/index.js';
export {
  inspectSegment,
  sharedMemory,
  threadMemory,
  watchWorker,
  workerThreads,
  type InspectOptions,
  type SegmentProcess,
  type SegmentReport,
  type SharedMemoryOptions,
  type ThreadMemoryOptions,
  type WorkerThreadsOptions,
} from './shared-memory/index.js';
export { TransportOptionError } from './transport-option-error.js';
