import { OrchestratorOptionError } from './errors.js';

/** Of a limit that travels: the largest number of a frame, and room for what is counted on. */
const LONGEST_ON_THE_WAY = Number.MAX_SAFE_INTEGER - 1;

/** @throws OrchestratorOptionError */
export function assertTimeLimit(timeoutMs: unknown): asserts timeoutMs is number | undefined {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return;
  throw new OrchestratorOptionError(
    'timeoutMs',
    'must be a number of milliseconds of at least 0, or Infinity for no limit',
    timeoutMs,
  );
}

/** A limit as a whole number that a frame can hold. */
export function limitOnTheWay(timeoutMs: number): number {
  return Math.min(Math.ceil(timeoutMs), LONGEST_ON_THE_WAY);
}
