import { OrchestratorError } from '../../errors/orchestrator-error.js';
import type { DueTimer } from '../../ports/records.js';

/** A timer whose firings are used up, though none of them reported a failure: it probably ends the process that fires it. */
export class TimerExhaustedError extends OrchestratorError {
  readonly code = 'ATTEMPTS_EXHAUSTED';
  constructor({ name, saga, id, attempts }: DueTimer) {
    super(
      `Timer '${name}' of saga '${saga}' ${id} was fired ${attempts - 1} times, and that never ended. ` +
        `Look for what ends the process that handles it, then replay it.`,
    );
  }
}

/** A timer was given up, and what its saga does then failed as well. It stays where it is: nothing is lost, and it is tried again. */
export class TimerGiveUpError extends OrchestratorError {
  readonly code = 'GIVE_UP';
  /** The error of its last firing. */
  readonly last: unknown;
  constructor({ name, saga, id }: DueTimer, last: unknown, cause: unknown) {
    super(
      `Timer '${name}' of saga '${saga}' ${id} failed for good (${String(last)}), and so did what is done about that (${String(cause)}). ` +
        `It is fired again now and then, until one of both is repaired.`,
      { cause },
    );
    this.last = last;
  }
}
