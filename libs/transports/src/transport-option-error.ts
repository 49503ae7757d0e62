import { OrchestratorError } from '@nestjs-orchestrator/core';

/** An option of a transport has a value that can't work. */
export class TransportOptionError extends OrchestratorError {
  readonly code = 'TRANSPORT_OPTION';
  constructor(
    readonly option: string,
    readonly value: unknown,
    rule: string,
  ) {
    super(`Option '${option}' can't be ${String(value)}: ${rule}.`);
  }
}
