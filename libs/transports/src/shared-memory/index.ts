export { inspectSegment, type InspectOptions, type SegmentProcess, type SegmentReport } from './inspect.js';
export { sharedMemory } from './shared-memory.js';
export type { SharedMemoryOptions } from './options.js';
