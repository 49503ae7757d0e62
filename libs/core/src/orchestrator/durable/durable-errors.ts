import { OrchestratorError } from '../../errors/orchestrator-error.js';
import { quote } from '../errors.js';

/** Another owner has the machine: what this one was about to write was refused. */
export class OwnerFencedError extends OrchestratorError {
  readonly code = 'OWNER_FENCED';
  override readonly retryable = true;
  constructor(
    readonly machine: string,
    /** Owner epoch under which this process has it. */
    readonly epoch: number,
    /** Owner epoch of whoever has it now; undefined: not known. */
    readonly current?: number,
  ) {
    super(
      `Machine '${machine}' belongs to another owner${current === undefined ? '' : ` (epoch ${current})`}; this process had it under epoch ${epoch}. ` +
        `Nothing was written: its events come in there.`,
    );
  }
}

/** A durable machine can't do this, since it would not survive the process. */
export class DurableLogicError extends OrchestratorError {
  readonly code = 'DURABLE_LOGIC';
  constructor(
    readonly machine: string,
    /** Name of the child or activity. */
    readonly source: string,
  ) {
    super(
      `Durable machine '${machine}' starts '${source}' as a child. Only functions that a state invokes can be its activities: make the child a durable machine of its own and send to it.`,
    );
  }
}

/** The step lost its race too often. */
export class DurableConflictError extends OrchestratorError {
  readonly code = 'DURABLE_CONFLICT';
  override readonly retryable = true;
  constructor(readonly machine: string) {
    super(
      `Machine '${machine}' was changed by somebody else again and again. Run one process with it, or give all of them a transport, so that it has one owner.`,
    );
  }
}

/** A request to a durable machine failed where it lives. */
export class DurableRequestError extends OrchestratorError {
  constructor(
    /** The error's own code there. */
    readonly code: string,
    message: string,
    /** The error as it was there, as far as it can travel. */
    cause?: Error,
  ) {
    super(message, { cause });
  }
}

/** Why: nothing keeps it; its transport gives machines no single owner; or its store opens only when the application has started. */
export type DurableUnavailableReason = 'no-store' | 'no-owner' | 'not-started';

/** A machine can't be durable in this orchestrator, or not yet. */
export class DurableUnavailableError extends OrchestratorError {
  readonly code = 'DURABLE_UNAVAILABLE';
  constructor(
    readonly machine: string,
    readonly reason: DurableUnavailableReason,
    /** Type of the transport, or `in-process`. */
    readonly type: string,
  ) {
    super(`Machine '${machine}' can't be durable${unavailableText(reason, type)}`);
  }
}

function unavailableText(reason: DurableUnavailableReason, type: string): string {
  switch (reason) {
    case 'no-store':
      return ': this orchestrator has no store to keep it in. Give one: createOrchestrator({ store }), or OrchestratorModule.forRoot({ store, machines: { durable: true } }).';
    case 'no-owner':
      return (
        ` over transport '${type}', which gives a machine no single owner among the processes. ` +
        `Use 'in-process', or a transport with partitions such as redisStreams() as type 'distributed'.`
      );
    case 'not-started':
      return (
        ' yet: the store of the application opens when all its modules are initialised. ' +
        'Spawn it from onApplicationBootstrap on, not in a constructor or in onModuleInit.'
      );
  }
}

/** What an action of a durable machine can't ask for, since it would not survive the process. */
export class DurableVerbError extends OrchestratorError {
  readonly code = 'DURABLE_VERB';
  constructor(
    /** For example `sendAfter`. */
    readonly verb: string,
    readonly machine: string,
  ) {
    super(
      `ctx.${verb}() can't be used by durable machine '${machine}': its actions run after the commit that would have to hold the timer. ` +
        `Use 'after', or a raise() or sendTo() with a delay, in its definition.`,
    );
  }
}

/** Why: as of {@link DurableUnavailableError}; or the machines live in one process, where an event that fails is told to its sender, and nothing is kept. */
export type DeadLettersUnavailableReason = DurableUnavailableReason | 'no-transport';

/** There are no dead letters of durable machines in this orchestrator, or not yet. */
export class DeadLettersUnavailableError extends OrchestratorError {
  readonly code = 'DEAD_LETTERS_UNAVAILABLE';
  constructor(
    readonly group: string,
    readonly reason: DeadLettersUnavailableReason,
    /** Type of the transport, or `in-process`. */
    readonly type: string,
  ) {
    super(
      `Group '${group}' keeps no dead letters of durable machines${reason === 'no-transport' ? IN_ONE_PROCESS : unavailableText(reason, type)}`,
    );
  }
}

const IN_ONE_PROCESS =
  ': they live in this process alone, where an event that fails is told to whoever sent it. ' +
  "Dead letters are of transports with partitions, such as redisStreams() as type 'distributed'.";

/** A text that names no dead letter. */
export class DeadLetterNameError extends OrchestratorError {
  readonly code = 'DEAD_LETTER_NAME';
  constructor(
    readonly letter: string,
    readonly group: string,
  ) {
    super(
      `${quote(letter)} is not the 'letter' of a dead letter of group '${group}'. Take it from deadLetters(), as it is.`,
    );
  }
}

/** Something for a durable machine failed at each delivery, or ended each process that had it; it is a dead letter. */
export class DurableGivenUpError extends OrchestratorError {
  readonly code = 'DURABLE_GIVEN_UP';
  constructor(
    readonly machine: string,
    /** Deliveries that failed, or whose process ended. */
    readonly attempts: number,
    reason: string,
  ) {
    super(
      `What was sent to durable machine '${machine}' was given up after ${attempts} deliveries: ${reason} Look at it with deadLetters(), then replay or discard it.`,
    );
  }
}
