import { OrchestratorError } from '../errors/orchestrator-error.js';

/** Most instances of one page of a listing. */
export const MOST_PER_PAGE = 1_000;

/** One fault of a definition: where, what was found, what was expected. */
export interface DefinitionFault {
  readonly path: string;
  readonly message: string;
}

/** A saga's definition, or what its class or builder adds to it, is faulty. Lists all faults at once. */
export class SagaDefinitionError extends OrchestratorError {
  readonly code = 'SAGA_DEFINITION';
  constructor(
    readonly saga: string,
    readonly faults: readonly DefinitionFault[],
  ) {
    super(
      `Saga '${saga}' has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n` +
        faults.map((fault) => `  ${fault.path}: ${fault.message}`).join('\n'),
    );
  }
}

/** An event that can't be given to any instance: its key is missing or no string. */
export class CorrelationError extends OrchestratorError {
  readonly code = 'SAGA_CORRELATION';
  constructor(
    readonly saga: string,
    readonly messageName: string,
    found: unknown,
  ) {
    super(
      `Message '${messageName}' has ${found === '' ? 'an empty' : 'no string as'} key for saga '${saga}' (found ${typeof found}). ` +
        `Its key field, or the function given to keyed(), must yield a string of 1 to 512 characters.`,
    );
  }
}

/** A message that was written for a saga by another build, of which this one has no such event; nobody else took it while its saga was patient. */
export class SagaEventUnknownError extends OrchestratorError {
  readonly code = 'SAGA_EVENT_UNKNOWN';
  override readonly retryable = true;
  /** When it is worth while to try again, in milliseconds from now. */
  readonly retryAfterMs = 5_000;
  constructor(
    readonly saga: string,
    readonly version: number,
    readonly messageName: string,
  ) {
    super(
      `Saga '${saga}' has no event '${messageName}' in version ${version}, the highest of this build: another build wrote the message, and no ` +
        `node that knows it took it within the saga's patience. Deploy a build that has the event, and replay the dead letter there.`,
    );
  }
}

/** A message that only another build can take: this node gives it back, which is no attempt of it, until the saga's `patience` is over. */
export class SagaOtherBuildError extends OrchestratorError {
  readonly code = 'SAGA_OTHER_BUILD';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    readonly messageName: string,
    /** When this node looks at it again, in milliseconds from now. */
    readonly retryAfterMs: number,
    cause: unknown,
  ) {
    super(
      `'${messageName}' for saga '${saga}' was written by another build, and this one can't take it: it is given back for a node that can, until the ` +
        `saga's patience is over. Keep such nodes running, or deploy them.`,
      { cause },
    );
  }
}

/** A message that the saga declares to be a fault here: no instance, or no state that answers. */
export class UnexpectedEventError extends OrchestratorError {
  readonly code = 'SAGA_UNEXPECTED_EVENT';
  constructor(
    readonly saga: string,
    readonly messageName: string,
    readonly state: string | null,
  ) {
    super(
      state === null
        ? `Saga '${saga}' has no instance for message '${messageName}', and is declared { absent: 'fault' }.`
        : `Saga '${saga}' in state '${state}' does not answer '${messageName}', and is declared { unanswered: 'fault' }.`,
    );
  }
}

/** A message came before its instance, and is declared to be delivered again. */
export class InstanceAbsentError extends OrchestratorError {
  readonly code = 'SAGA_INSTANCE_ABSENT';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    readonly messageName: string,
  ) {
    super(
      `Saga '${saga}' has no instance for message '${messageName}' yet; it is declared { absent: 'redeliver' } and tried again later.`,
    );
  }
}

/** A limiter or breaker before the saga did not let a message in. It comes again, and that is no attempt of it. */
export class SagaDelayedError extends OrchestratorError {
  readonly code = 'SAGA_DELAYED';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    readonly messageName: string,
    /** When it comes again, in milliseconds from now. */
    readonly retryAfterMs: number,
    cause: OrchestratorError,
  ) {
    super(`Saga '${saga}' takes '${messageName}' in ${retryAfterMs} ms: ${cause.message}`, { cause });
  }
}

/** A handler recorded a value of a key that another instance has already, though the key is declared to lead to one. */
export class SagaKeyTakenError extends OrchestratorError {
  readonly code = 'SAGA_KEY_TAKEN';
  constructor(
    readonly saga: string,
    readonly key: string,
    /** Id of the instance that has it. */
    readonly holder: string,
  ) {
    super(
      `An instance of saga '${saga}' was to get a value of its key '${key}' that instance ${holder} has. ` +
        `Declare the key 'many' if instances share it, or correlate with something that is the instance's own.`,
    );
  }
}

/** A page that can't be listed: how many instances it shall have, or where it begins, is wrong. */
export class SagaListingError extends OrchestratorError {
  readonly code = 'SAGA_LISTING';
  constructor(
    readonly saga: string,
    readonly option: 'limit' | 'cursor',
    readonly value: unknown,
    cause?: unknown,
  ) {
    super(
      option === 'limit'
        ? `A page of saga '${saga}' can't have ${String(value)} instances: 'limit' is a whole number from 1 to ${MOST_PER_PAGE}.`
        : `No page of saga '${saga}' begins at '${String(value)}': 'cursor' is the 'next' of the page before; list again without it.`,
      { cause },
    );
  }
}

/** The instance changed under every one of several tries; it is tried again later. */
export class SagaConflictError extends OrchestratorError {
  readonly code = 'SAGA_CONFLICT';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    readonly attempts: number,
    /** What to do about it. */
    advice = '',
  ) {
    super(
      `An instance of saga '${saga}' was changed by others ${attempts === 1 ? '' : `${attempts} times in a row `}while a message was handled. ${advice}`.trimEnd(),
    );
  }
}

/** Others had the instance, or were writing it, for longer than a message waits; it is tried again later. */
export class SagaBusyError extends OrchestratorError {
  readonly code = 'SAGA_BUSY';
  override readonly retryable = true;
  /** When it is worth while to try again, in milliseconds from now. */
  readonly retryAfterMs = 1_000;
  constructor(
    readonly saga: string,
    readonly id: string,
  ) {
    super(
      `Instance ${id} of saga '${saga}' was busy: others hold it, or a transaction that has written it stays open. ` +
        `The message is tried again; keep transactions that change sagas short.`,
    );
  }
}

/** The instance lives under a version of the definition that this node does not have. */
export class SagaVersionError extends OrchestratorError {
  readonly code = 'SAGA_VERSION';
  override readonly retryable = true;
  /** When it is worth while to try again, in milliseconds from now. */
  readonly retryAfterMs = 5_000;
  constructor(
    readonly saga: string,
    readonly found: number,
    readonly known: readonly number[],
  ) {
    const advice =
      found > Math.max(...known)
        ? 'Its messages are given back for a node that knows it.'
        : `No 'migrate' of this build begins at version ${found}: it is held. Deploy a build that has it or migrates it: it goes on there by itself.`;
    super(
      `An instance of saga '${saga}' lives under version ${found}; this node knows ${known.join(', ')}. ${advice}`,
    );
  }
}

/** Something is to be undone of an instance that has ended under a version which this build can't continue. It becomes a dead letter. */
export class SagaEndedVersionError extends OrchestratorError {
  readonly code = 'SAGA_ENDED_VERSION';
  constructor(
    { saga, id }: { readonly saga: string; readonly id: string },
    what: string,
    cause: SagaVersionError,
  ) {
    super(
      `Instance ${id} of saga '${saga}' is over, and lives under version ${cause.found}; this node knows ${cause.known.join(', ')}, so nobody can undo ${what}. ` +
        `Deploy a build that has that version or migrates it, and replay the dead letter there, or undo it by hand.`,
      { cause },
    );
  }
}

/** An instance is held since no build continued its version, nor does this one: it is looked at again, which is no attempt of anything. */
export class SagaStillHeldError extends OrchestratorError {
  readonly code = 'SAGA_STILL_HELD';
  override readonly retryable = true;
  constructor(
    readonly saga: string,
    /** When it is looked at again, in milliseconds from now. */
    readonly retryAfterMs: number,
    cause?: unknown,
  ) {
    super(`An instance of saga '${saga}' is held until a node comes that continues its version.`, { cause });
  }
}

/** An instance could not become one of this build's version, by what the definition says in `migrate`. It is held as it was. */
export class SagaMigrationError extends OrchestratorError {
  readonly code = 'SAGA_MIGRATION';
  constructor(
    readonly saga: string,
    readonly from: number,
    readonly to: number,
    /** What is wrong. */
    problem: string,
    cause?: unknown,
  ) {
    super(
      `An instance of saga '${saga}' can't be migrated from version ${from} to ${to}: ${problem}. ` +
        `It stays as it was, and is held: deploy a build whose 'migrate' is right, and it goes on there by itself.`,
      { cause },
    );
  }
}
