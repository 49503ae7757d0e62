export { run } from './run.js';
export type { ExitCode, Surroundings } from './surroundings.js';
export { CommandError } from './errors.js';
