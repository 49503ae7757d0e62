export { namedPipe, type NamedPipeOptions } from './named-pipe/index.js';
export { sharedMemory, type SharedMemoryOptions } from './shared-memory/index.js';
export { TransportOptionError } from './transport-option-error.js';
