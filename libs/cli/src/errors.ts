import { OrchestratorError } from '@nestjs-orchestrator/core';

/** A command was given something that it can't use. */
export class CommandError extends OrchestratorError {
  readonly code = 'COMMAND';
}
