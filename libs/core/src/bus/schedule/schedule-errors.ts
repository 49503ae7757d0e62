import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** A schedule that can't be: no or several times, a bad cron expression or time zone, an interval that is too short. */
export class ScheduleError extends OrchestratorError {
  readonly code = 'SCHEDULE_INVALID';
}

/** A schedule was changed by others each time that it was about to be written. */
export class ScheduleConflictError extends OrchestratorError {
  readonly code = 'SCHEDULE_CONFLICT';
  override readonly retryable = true;
  constructor(readonly scheduleId: string) {
    super(`Schedule '${scheduleId}' was changed by others several times in a row. Try again.`);
  }
}
