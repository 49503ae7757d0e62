import { isOrchestratorError } from '../../errors/orchestrator-error.js';
import type { LogFields, Logger } from '../../ports/logger.js';

/** Tells that what became of something claimed could not be written. Nothing is lost by that: its lease ends, and it is claimed again. */
export function unwritten(logger: Logger, what: string, failure: unknown, fields: LogFields): void {
  const told = { ...fields, error: String(failure) };
  if (isOrchestratorError(failure) && failure.code === 'STORE_UNAVAILABLE')
    logger.warn(`The store is away; its lease will bring the ${what} back`, told);
  else logger.error(`What became of a ${what} could not be written; its lease will bring it back`, told);
}
