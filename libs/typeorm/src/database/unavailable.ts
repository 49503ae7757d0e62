import { StoreUnavailableError } from '@nestjs-orchestrator/core';

/** Codes of Node's sockets and name look-ups. */
const SOCKET_CODES: ReadonlySet<string> = new Set(
  (
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN ENOENT ' +
    'EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL'
  ).split(' '),
);

/**
 * Answers of a server that can't serve now: connection exceptions (08), shut down, crashed or starting (57P01-57P03), a statement
 * cancelled for its time (57014), resources used up (53, full disk and too many connections), a read-only stand-by after a fail-over (25006).
 */
const SERVER_CODES = /^(?:08|53|57P0[1-3]$|57014$|25006$)/;

/** The drivers say some things in words only. */
const WORDS = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end',
  'Query read timeout',
  'Driver not Connected',
] as const;

/** Whether the error says that the database could not be reached, and nothing about the statement. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlState(error);
  if (code !== undefined && (SOCKET_CODES.has(code) || SERVER_CODES.test(code))) return true;
  // Several addresses tried: each of the errors counts.
  if (error instanceof AggregateError && error.errors.some(isUnavailable)) return true;
  return WORDS.some((words) => error.message.includes(words));
}

/** The SQLSTATE, or the code of the socket. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The error as the port promises it. */
export function mapped(error: unknown): unknown {
  if (error instanceof StoreUnavailableError || !isUnavailable(error)) return error;
  const reason =
    error instanceof Error && error.message !== '' ? error.message : (sqlState(error) ?? 'no answer');
  return new StoreUnavailableError(
    `Postgres can't be reached: ${reason}. What was not answered is tried again.`,
    {
      cause: error,
    },
  );
}
