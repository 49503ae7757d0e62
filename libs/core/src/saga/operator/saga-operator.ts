import type { DeadLetter, SagaStatus } from '../../ports/records.js';
import type { AnySaga } from '../saga-types.js';

/** Which instance an operator means. */
export interface SagaTarget {
  /** The saga's definition, or its name. */
  readonly saga: AnySaga | string;
  /** Id of the instance. */
  readonly id: string;
  /** Default: that of the request, where `tenant` of forRoot tells it, else the application's default tenant. */
  readonly tenant?: string;
}

/** Who does something, and why; kept in the history of the instance. */
export interface Audit {
  /** Who: a name that means something to your people, of 1 to 512 characters. */
  readonly by: string;
  /** At most 4 000 characters. */
  readonly reason?: string;
  /** Names this action: repeated with the same id it is done once. Default: a new one. */
  readonly id?: string;
}

/** An {@link Audit} that must say why. */
export interface ReasonedAudit extends Audit {
  readonly reason: string;
}

/** Which undo step is meant, by its number; default: all that have failed. */
export interface StepChoice {
  readonly step?: number;
}

/** How an instance stands after an operator's action, read right after it was committed: what the action has set going may have ended by then. */
export interface OperatorOutcome {
  readonly id: string;
  readonly version: number;
  readonly state: string;
  readonly status: SagaStatus;
}

/** Which dead letters to list. */
export interface DeadLetterOptions {
  /** Default: that of the request, where `tenant` of forRoot tells it; else those of all tenants. */
  readonly tenant?: string;
  /** `saga:order`, `handler:PaymentHandlers.charge`, … */
  readonly destination?: string;
  /** Those that were replayed or discarded instead of the open ones. */
  readonly settled?: boolean;
}

/**
 * What people do about sagas that can't go on by themselves. Each action is a message with an id of its own, committed into the instance with who did it
 * and why. All throw `OperatorRefusedError` when the instance is not there, or does not stand so that the action means something.
 */
export abstract class SagaOperator {
  /** Runs failed undo steps again. */
  abstract retry(target: SagaTarget & StepChoice, audit: Audit): Promise<OperatorOutcome>;
  /** Goes on without a failed undo step, or without the poison of a held instance. The saga ends as `partially-compensated`. */
  abstract skip(target: SagaTarget & StepChoice, audit: ReasonedAudit): Promise<OperatorOutcome>;
  /** Goes on as if a failed undo step were done, since somebody did it by hand. */
  abstract resolve(target: SagaTarget & StepChoice, audit: ReasonedAudit): Promise<OperatorOutcome>;
  /** Ends an instance: what it recorded is undone, and its status is `cancelled` then. Undo steps that had failed are left as they are. */
  abstract cancel(target: SagaTarget, audit: ReasonedAudit): Promise<OperatorOutcome>;
  /**
   * Lets a held instance go on: its poison first, then the messages that have waited, in order. Rejects with what the handler throws if the poison
   * still can't be handled; the instance is held as before then.
   */
  abstract replay(target: SagaTarget, audit: Audit): Promise<OperatorOutcome>;
  /** Dead letters, newest first, read in pages. */
  abstract deadLetters(options?: DeadLetterOptions): AsyncIterable<DeadLetter>;
  /** Tries a dead letter again, as if for the first time. `false`: it was settled already. */
  abstract replayLetter(letter: DeadLetter, audit: Audit): Promise<boolean>;
  /** Gives a dead letter up for good; what waited behind it in its lane goes on. `false`: it was settled already. */
  abstract discardLetter(letter: DeadLetter, audit: ReasonedAudit): Promise<boolean>;
}
