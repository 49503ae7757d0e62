export { namedPipe, type NamedPipeOptions } from './named-pipe/index.js';
export {
  inspectSegment,
  sharedMemory,
  type InspectOptions,
  type SegmentProcess,
  type SegmentReport,
  type SharedMemoryOptions,
} from './shared-memory/index.js';
export { TransportOptionError } from './transport-option-error.js';
