export { inspectPipes, type InspectPipesOptions, type PipeProcess, type PipeReport } from './inspect.js';
export { namedPipe } from './named-pipe.js';
export type { NamedPipeOptions } from './options.js';
