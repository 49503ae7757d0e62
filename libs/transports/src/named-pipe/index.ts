export { namedPipe } from './named-pipe.js';
export type { NamedPipeOptions } from './options.js';
