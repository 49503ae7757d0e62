export { namedPipe } from './named-pipe.js';
export { TransportOptionError, type NamedPipeOptions } from './options.js';
