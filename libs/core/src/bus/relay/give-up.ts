import { OrchestratorError } from '../../errors/orchestrator-error.js';
import type { ClaimedWork } from '../../ports/records.js';
import type { Consumed, Consumer } from './consumer.js';
import { isNoFaultOfWork } from './retry-policy.js';

/** Work whose tries are used up, though none of them reported a failure: it probably ends the process that runs it. */
export class AttemptsExhaustedError extends OrchestratorError {
  readonly code = 'ATTEMPTS_EXHAUSTED';
  constructor(work: ClaimedWork) {
    super(
      `'${work.id}' for ${work.destination} was begun ${work.attempts - 1} times and never ended, neither well nor with an error. ` +
        `Look for what ends the process that handles it, then replay it.`,
    );
  }
}

/** Work was given up, and what its consumer does then failed as well. */
export class GiveUpError extends OrchestratorError {
  readonly code = 'GIVE_UP';
  /** The error of its last try. */
  readonly last: unknown;
  constructor({ id, destination }: ClaimedWork, last: unknown, cause: unknown) {
    super(
      `'${id}' for ${destination} failed for good (${String(last)}), and so did what is done about that (${String(cause)}). ` +
        `Repair what both are about, then replay it.`,
      { cause },
    );
    this.last = last;
  }
}

/** A row becomes a dead letter; the cause says why. */
export class GivenUp extends Error {}

/** The lease on a row was over before it could begin: another node has it now. */
export class LeaseLostError extends OrchestratorError {
  readonly code = 'LEASE_LOST';
}

/** Asks the consumer what becomes of a row that nothing more can be done for. If that fails by itself, the row is buried with both errors. */
export async function giveUp(consumer: Consumer, work: ClaimedWork, error: unknown): Promise<Consumed> {
  let end: Consumed | 'bury';
  try {
    end = await (consumer.giveUp?.(work, error) ?? 'bury');
  } catch (failure) {
    if (isNoFaultOfWork(failure)) throw failure;
    throw new GivenUp('given up', { cause: new GiveUpError(work, error, failure) });
  }
  if (end === 'bury') throw new GivenUp('given up', { cause: error });
  return end;
}
