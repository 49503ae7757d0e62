import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** Thrown by an activity to say that trying again is no use; it fails for good. */
export class ActivityRejectedError extends OrchestratorError {
  readonly code = 'ACTIVITY_REJECTED';
}

/** A try of an activity took too long, or gave no sign of life. */
export class ActivityTimeoutError extends OrchestratorError {
  readonly code = 'ACTIVITY_TIMEOUT';
  override readonly retryable = true;
}

/** Why the signal of an activity aborts when nobody waits for its outcome any more. */
export class ActivityCancelledError extends OrchestratorError {
  readonly code = 'ACTIVITY_CANCELLED';
  constructor(readonly activity: string) {
    super(`Nobody waits for activity '${activity}' any more: the saga has left the state that did.`);
  }
}
