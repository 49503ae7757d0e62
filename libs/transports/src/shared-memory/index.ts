export { sharedMemory } from './shared-memory.js';
export type { SharedMemoryOptions } from './options.js';
