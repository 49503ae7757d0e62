import { errorText } from '../../../errors/error-text.js';
import { isOrchestratorError, type OrchestratorError } from '../../../errors/orchestrator-error.js';
import { NotJsonError, PayloadTooLargeError } from '../../../message/json.js';
import { FrameTooLargeError, PeerLostError } from '../../../errors/transport-errors.js';
import {
  ActionTimeoutError,
  CeilingError,
  DuplicateIdError,
  EventInvalidError,
  EventPayloadError,
  GroupReleasedError,
  GroupUnreachableError,
  MachineStartingError,
  MachineStoppedError,
  RequestCycleError,
  RequestTimeoutError,
  StepEndedError,
  StepError,
  UnknownMachineError,
  WaitTimeoutError,
} from '../../errors.js';
import { ClusterUnreachableError, OutcomeUnknownError, RemoteFailureError } from '../cluster-errors.js';

/** A failure as it travels: no stack, and of its fields those that are plain. */
interface FailureText {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: { readonly name: string; readonly message: string };
}

/** Classes as which failures come back. Any other is a {@link RemoteFailureError} with the original's code and name. */
const KNOWN: readonly { readonly name: string; readonly prototype: OrchestratorError }[] = [
  ActionTimeoutError,
  CeilingError,
  ClusterUnreachableError,
  DuplicateIdError,
  EventInvalidError,
  EventPayloadError,
  FrameTooLargeError,
  GroupReleasedError,
  GroupUnreachableError,
  MachineStartingError,
  MachineStoppedError,
  NotJsonError,
  OutcomeUnknownError,
  PayloadTooLargeError,
  PeerLostError,
  RequestCycleError,
  RequestTimeoutError,
  StepEndedError,
  StepError,
  UnknownMachineError,
  WaitTimeoutError,
];
const PROTOTYPES: ReadonlyMap<string, OrchestratorError> = new Map(
  KNOWN.map(({ name, prototype }) => [name, prototype]),
);
/** Fields that are restored otherwise, or may not be set from outside. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'code',
  'name',
  'message',
  'retryable',
  'stack',
  'cause',
  '__proto__',
]);

/** What is thrown in actions may be anything; it becomes a failure without a code of its own. */
export function failureText(error: unknown): string {
  const { name, message, code } = errorText(error);
  const known = isOrchestratorError(error);
  const cause = error instanceof Error && error.cause !== undefined ? errorText(error.cause) : undefined;
  const failure: FailureText = {
    code: code ?? 'REMOTE_FAILURE',
    name,
    message,
    retryable: known && error.retryable,
    fields: known ? plainFields(error) : {},
    ...(cause === undefined ? {} : { cause: { name: cause.name, message: cause.message } }),
  };
  return JSON.stringify(failure);
}

function plainFields(error: object): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(error))
    if (!NOT_COPIED.has(name) && isPlain(value)) fields[name] = value;
  return fields;
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** The failure that {@link failureText} wrote. Whatever comes in, it is an error; nothing of it is believed but texts. */
export function failureFrom(payload: unknown): Error {
  const given = (typeof payload === 'object' && payload !== null ? payload : {}) as Partial<FailureText>;
  const name = text(given.name, 'Error');
  const error = new RemoteFailureError(text(given.message, 'The other process gave no reason.'), {
    code: text(given.code, 'REMOTE_FAILURE'),
    name,
    retryable: given.retryable === true,
    cause: given.cause === undefined ? undefined : causeFrom(given.cause),
  });
  const prototype = PROTOTYPES.get(name);
  if (prototype === undefined) return error;
  Object.setPrototypeOf(error, prototype);
  const fields = typeof given.fields === 'object' && given.fields !== null ? given.fields : {};
  for (const [field, value] of Object.entries(fields)) {
    if (NOT_COPIED.has(field) || !isPlain(value)) continue;
    Object.defineProperty(error, field, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

function causeFrom(cause: NonNullable<FailureText['cause']>): Error {
  const error = new Error(text(cause.message, ''));
  error.name = text(cause.name, 'Error');
  return error;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
