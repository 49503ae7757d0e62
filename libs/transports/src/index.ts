export { namedPipe, TransportOptionError, type NamedPipeOptions } from './named-pipe/index.js';
