import { OrchestratorError } from '../../errors/orchestrator-error.js';

/** What an operator asked for means nothing for the instance as it stands. */
export class OperatorRefusedError extends OrchestratorError {
  readonly code = 'OPERATOR_REFUSED';
  constructor(
    readonly verb: string,
    readonly id: string,
    reason: string,
  ) {
    super(`'${verb}' of instance ${id} was refused: ${reason}`);
  }
}
