import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** A schedule that can't be: no or several times, a bad cron expression or time zone, an interval that is too short. */
export class ScheduleError extends OrchestratorError {
  readonly code = 'SCHEDULE_INVALID';
}

/** What is stored of a schedule does not say what it must: it never fires again. */
export class UnreadableScheduleError extends OrchestratorError {
  readonly code = 'UNREADABLE_SCHEDULE';
  constructor(instanceId: string, options: { cause?: unknown } = {}) {
    super(
      `What is stored of schedule ${instanceId} can't be read: somebody else has written or changed it. It does not fire any more. ` +
        `Call schedule() with its id again, which replaces it.`,
      options,
    );
  }
}

/** A schedule was changed by others each time that it was about to be written. */
export class ScheduleConflictError extends OrchestratorError {
  readonly code = 'SCHEDULE_CONFLICT';
  override readonly retryable = true;
  constructor(readonly scheduleId: string) {
    super(`Schedule '${scheduleId}' was changed by others several times in a row. Try again.`);
  }
}
