import { OrchestratorError } from '@nestjs-orchestrator/core';

/** The module was set up in a way that can't work. */
export class OrchestratorConfigurationError extends OrchestratorError {
  readonly code = 'ORCHESTRATOR_CONFIGURATION';
}

/** What a {@link BootFault} is about. */
export type BootFaultCode =
  | 'DUPLICATE_ROOT'
  | 'DUPLICATE_MACHINE'
  | 'DUPLICATE_MACHINE_CLASS'
  | 'DUPLICATE_SAGA'
  | 'DUPLICATE_SAGA_CLASS'
  | 'DUPLICATE_HANDLER'
  | 'HANDLER_CONCURRENCY'
  | 'HANDLER_NAME'
  | 'MACHINE_MEMBER'
  | 'MISSING_MACHINE_CLASS'
  | 'MISSING_MACHINE_DECORATOR'
  | 'MISSING_SAGA_CLASS'
  | 'MISSING_SAGA_DECORATOR'
  | 'NOT_PROVIDED'
  | 'POLICY_ON_CONTROLLER'
  | 'POLICY_ON_HANDLER'
  | 'POLICY_OPTION'
  | 'SCOPED_PROVIDER'
  | 'SEALED_INSTANCE'
  | 'SHARED_INSTANCE'
  | 'UNBOUND_NAMES'
  | 'UNKNOWN_CHANNEL_GROUP'
  | 'UNKNOWN_NAME'
  | 'UNREGISTERED_MACHINE'
  | 'UNREGISTERED_SAGA';

/** One reason why the application can't start. */
export interface BootFault {
  readonly code: BootFaultCode;
  readonly message: string;
}

/** What the application declares and decorates doesn't fit together. Lists all faults at once. */
export class OrchestratorBootError extends OrchestratorError {
  readonly code = 'ORCHESTRATOR_BOOT';
  constructor(readonly faults: readonly BootFault[]) {
    super(
      `The application can't start; it has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n` +
        faults.map((fault) => `  ${fault.code}: ${fault.message}`).join('\n'),
    );
  }
}
