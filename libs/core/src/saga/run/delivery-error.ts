import { isOrchestratorError, OrchestratorError } from '../../errors/orchestrator-error.js';
import type { Envelope } from '../../message/envelope.js';

/** Codes of errors that say what is wrong with a message, not with its handling: it becomes a dead letter, and its instance goes on. */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set([
  'SAGA_UNEXPECTED_EVENT',
  'SAGA_CORRELATION',
  'SAGA_EVENT_UNKNOWN',
  'SAGA_KEY_TAKEN',
  'MESSAGE_INVALID',
]);
/** Codes of errors that go by themselves. */
const PASSING: ReadonlySet<string> = new Set([
  'STORE_UNAVAILABLE',
  'SAGA_VERSION',
  'SAGA_CONFLICT',
  'SAGA_BUSY',
  'SAGA_DELIVERY',
  'SAGA_BEHIND',
  'SAGA_DELAYED',
  'SAGA_OTHER_BUILD',
  'SAGA_STILL_HELD',
]);

/** Whether an error says what is wrong with a message, not with its handling. */
export function isOfTheMessage(error: unknown): boolean {
  return isOrchestratorError(error) && OF_THE_MESSAGE.has(error.code);
}

/** Whether an error goes by itself. */
export function isPassing(error: unknown): boolean {
  return isOrchestratorError(error) && PASSING.has(error.code);
}

/** A message that waited for an instance could not be handled. */
export class DeliveryError extends OrchestratorError {
  readonly code = 'SAGA_DELIVERY';
  override readonly retryable = true;
  readonly messageId: string;
  constructor({ id, name }: Envelope, cause: unknown) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`'${name}' ${id}, which waited, could not be handled: ${reason}`, { cause });
    this.messageId = id;
  }
}

/** A message came after one that waits for the same instance and can't be handled: it waits for that. */
export class BehindDeliveryError extends OrchestratorError {
  readonly code = 'SAGA_BEHIND';
  override readonly retryable = true;
  /** When it is worth while to try again, in milliseconds from now. Default: 1 000. */
  readonly retryAfterMs: number;
  constructor(
    message: string,
    { retryAfterMs = 1_000, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * The error of a message that comes after one which has failed.
 *
 * @param pauseMs for how long that need not be tried again; it comes back after that, not all at the same instant
 */
export function behind(pauseMs: number, cause?: DeliveryError): BehindDeliveryError {
  const text = cause?.message ?? 'A message that waits for the same instance could not be handled.';
  return new BehindDeliveryError(text, {
    retryAfterMs: 2 * pauseMs,
    ...(cause === undefined ? {} : { cause }),
  });
}
