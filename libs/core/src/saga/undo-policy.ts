import { milliseconds, type Duration } from '../message/duration.js';
import { isMessageType, type MessageType } from '../message/message.js';
import { NO_MESSAGE, type Report } from './definition/report.js';
import type { SagaEvent } from './saga-types.js';

/**
 * What happens when an undo step has failed for good. `halt`: the saga stops as `compensation-failed`, with the remaining steps not run, until an
 * operator retries, skips or resolves the step. `continue`: the remaining steps are run, and the saga ends as `partially-compensated`. `escalate`:
 * the saga is `held`, so that its messages and timers wait as well.
 */
export type UndoFailurePolicy = 'halt' | 'continue' | 'escalate';

/** How one undo step is run. */
export interface UndoPolicy {
  /** Tries before it has failed for good. Default: the application's `maxAttempts`. */
  readonly attempts?: number;
  /** Pause before the second try. Default: the application's `retryDelayMs`. The upper half of each pause is random. */
  readonly delay?: Duration | number;
  /** By how much each pause is longer than the one before. Default 2. */
  readonly backoff?: number;
  /** Longest pause. Default one minute. */
  readonly maxDelay?: Duration | number;
  /** Default `halt`. */
  readonly onFailure?: UndoFailurePolicy;
  /** The event by which the command that the step sends is answered: only then the step is done. Default: it is done when its handler is. */
  readonly answeredBy?: MessageType;
  /** The event by which that command is refused: then the step has failed for good. */
  readonly refusedBy?: MessageType;
  /** How long to wait for either before the step is tried again. Default one hour. */
  readonly answerTimeout?: Duration | number;
}

/** An {@link UndoPolicy} with its defaults; `undefined`: the application's. */
export interface UndoRules {
  readonly attempts: number | undefined;
  readonly delayMs: number | undefined;
  readonly backoff: number;
  readonly maxDelayMs: number;
  readonly onFailure: UndoFailurePolicy;
  /** Wire names. */
  readonly answeredBy: string | undefined;
  readonly refusedBy: string | undefined;
  readonly answerTimeoutMs: number;
}

type Fault = (message: string) => void;

const MINUTE = 60_000;
const POLICIES: ReadonlySet<unknown> = new Set<UndoFailurePolicy>(['halt', 'continue', 'escalate']);

/** Rules of a step of which nothing is said. */
export const DEFAULT_UNDO_RULES: UndoRules = {
  attempts: undefined,
  delayMs: undefined,
  backoff: 2,
  maxDelayMs: MINUTE,
  onFailure: 'halt',
  answeredBy: undefined,
  refusedBy: undefined,
  answerTimeoutMs: 60 * MINUTE,
};

/** Reads what a definition says of its undo steps. */
export function readUndoPolicies(
  policies: Readonly<Record<string, UndoPolicy | undefined>> | undefined,
  compensations: readonly string[],
  events: ReadonlyMap<string, SagaEvent>,
  report: Report,
): ReadonlyMap<string, UndoRules> {
  const rules = new Map<string, UndoRules>();
  for (const [name, policy] of Object.entries(policies ?? {})) {
    if (policy === undefined) continue;
    const path = `undo.${name}`;
    if (!compensations.includes(name))
      report(path, `'${name}' is no compensation of this saga. Declared: ${compensations.join(', ')}`);
    rules.set(
      name,
      rulesOf(policy, events, (message) => report(path, message)),
    );
  }
  return rules;
}

function rulesOf(policy: UndoPolicy, events: ReadonlyMap<string, SagaEvent>, fault: Fault): UndoRules {
  checkNumbers(policy, fault);
  checkAnswers(policy, events, fault);
  const length = (field: string, given: Duration | number): number => lengthOf(field, given, fault);
  const { attempts, delay, answeredBy, refusedBy } = policy;
  const { backoff = 2, maxDelay = MINUTE, onFailure = 'halt', answerTimeout = 60 * MINUTE } = policy;
  return {
    attempts,
    delayMs: delay === undefined ? undefined : length('delay', delay),
    backoff,
    maxDelayMs: length('maxDelay', maxDelay),
    onFailure,
    answeredBy: answeredBy?.messageName,
    refusedBy: refusedBy?.messageName,
    answerTimeoutMs: length('answerTimeout', answerTimeout),
  };
}

function lengthOf(field: string, given: Duration | number, fault: Fault): number {
  try {
    return milliseconds(given);
  } catch (error) {
    fault(`${field}: ${(error as Error).message}`);
    return 0;
  }
}

function checkNumbers({ attempts = 1, backoff = 2, onFailure = 'halt' }: UndoPolicy, fault: Fault): void {
  if (!Number.isInteger(attempts) || attempts < 1)
    fault(`attempts: ${attempts} must be a whole number from 1`);
  if (!Number.isFinite(backoff) || backoff < 1) fault(`backoff: ${backoff} must be a number from 1`);
  if (!POLICIES.has(onFailure)) fault(`onFailure: '${onFailure}' must be 'halt', 'continue' or 'escalate'`);
}

function checkAnswers(
  { answeredBy, refusedBy }: UndoPolicy,
  events: ReadonlyMap<string, SagaEvent>,
  fault: Fault,
): void {
  for (const answer of [answeredBy, refusedBy]) {
    if (answer !== undefined && !isMessageType(answer))
      fault(`answeredBy and refusedBy: one of them ${NO_MESSAGE}`);
    else if (answer !== undefined && !events.has(answer.messageName))
      fault(`'${answer.messageName}' must be among the saga's events, or its answer would find nobody`);
  }
  if (refusedBy !== undefined && answeredBy === undefined) fault(`refusedBy needs answeredBy beside it`);
}
