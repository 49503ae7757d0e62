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

/** A try of an activity has failed, and there are tries left. */
export class ActivityAttemptError extends OrchestratorError {
  readonly code = 'ACTIVITY_ATTEMPT';
  override readonly retryable = true;
  constructor(
    readonly activity: string,
    readonly retryAfterMs: number,
    reason: string,
    cause: unknown,
  ) {
    super(`Activity '${activity}' failed: ${reason}`, { cause });
  }
}

/** Why the signal of an activity aborts when nobody waits for its outcome any more. */
export class ActivityCancelledError extends OrchestratorError {
  readonly code = 'ACTIVITY_CANCELLED';
  constructor(readonly activity: string) {
    super(`Nobody waits for activity '${activity}' any more: the saga has left the state that did.`);
  }
}

/** Why the signal of an activity aborts when its node stops. Another try goes on elsewhere. */
export class ActivityStoppedError extends OrchestratorError {
  readonly code = 'ACTIVITY_STOPPED';
  override readonly retryable = true;
  constructor(readonly activity: string) {
    super(`Activity '${activity}' was interrupted: its node stops. It is tried again by another one.`);
  }
}

/** A stored activity is none of this build's: it becomes a dead letter, to be replayed on a build that has it. */
export class UnknownActivityError extends OrchestratorError {
  readonly code = 'UNKNOWN_ACTIVITY';
  constructor(
    readonly destination: string,
    readonly version: number,
    readonly activity: string,
  ) {
    super(
      `Nothing in this build runs '${activity}' of '${destination}' version ${version}, which an instance waits for: it has neither that version nor a migration of ` +
        `it that keeps the activity. Deploy a build that has, and replay this dead letter there.`,
    );
  }
}
