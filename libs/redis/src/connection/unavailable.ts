import { StoreUnavailableError } from '@nestjs-orchestrator/core';

/** Codes of Node's sockets and name look-ups. */
const SOCKET_CODES: ReadonlySet<string> = new Set(
  (
    'ECONNREFUSED ECONNRESET ECONNABORTED EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN ENOENT ' +
    'EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN EADDRNOTAVAIL ERR_STREAM_DESTROYED ERR_STREAM_WRITE_AFTER_END'
  ).split(' '),
);

/**
 * Answers of a server that can't serve now: starting, busy, out of memory, unable to save, a replica after a fail-over, a cluster without some
 * of its slots. The client follows to where slots have moved, but for commands sent together of which only some are told so: nothing was done then.
 */
const SERVER_ANSWERS =
  /^(?:LOADING|BUSY|OOM|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;

/** The client says some things in words or by the name of the error only. */
const NAMES: ReadonlySet<string> = new Set([
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
  'AbortError',
]);
const WORDS = [
  'Connection is closed',
  "Stream isn't writeable",
  "Cluster isn't ready",
  'Too many Cluster redirections',
  'All sentinels are unreachable',
  'Command timed out',
  'Command aborted due to connection close',
] as const;

/** Whether the error says that the server could not be reached, and nothing about the command. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && SOCKET_CODES.has(code)) return true;
  if (error instanceof AggregateError && error.errors.some(isUnavailable)) return true;
  if (NAMES.has(error.name) || SERVER_ANSWERS.test(error.message)) return true;
  return WORDS.some((words) => error.message.includes(words));
}

/** The error as the port promises it. */
export function mapped(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof StoreUnavailableError || !isUnavailable(error)) return error;
  return new StoreUnavailableError(
    `Redis can't be reached: ${error.message || error.name}. What was not answered is tried again.`,
    { cause: error },
  );
}
