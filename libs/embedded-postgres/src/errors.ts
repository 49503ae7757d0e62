/** What can go wrong, as stable codes: match on these, never on a message. */
export type EmbeddedPostgresErrorCode =
  /** An option has a value that can't work. */
  | 'EMBEDDED_POSTGRES_OPTION_INVALID'
  /** There are no Postgres binaries for this operating system and processor. */
  | 'EMBEDDED_POSTGRES_PLATFORM_UNSUPPORTED'
  /** The package with the binaries isn't installed, or its files can't be run. */
  | 'EMBEDDED_POSTGRES_BINARIES_MISSING'
  /** Postgres refuses to run as root, and no other user could be had. */
  | 'EMBEDDED_POSTGRES_ROOT_REFUSED'
  /** The data directory can't be created, read or written. */
  | 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE'
  /** Another live process has started Postgres on this data directory. */
  | 'EMBEDDED_POSTGRES_DATA_DIR_IN_USE'
  /** The data directory was written by another major version of Postgres. */
  | 'EMBEDDED_POSTGRES_DATA_DIR_VERSION'
  /** The port that was asked for is taken or not allowed. */
  | 'EMBEDDED_POSTGRES_PORT_TAKEN'
  /** `initdb`, or the creation of the user and the database, failed. */
  | 'EMBEDDED_POSTGRES_INIT_FAILED'
  /** The server ended before it was ready. */
  | 'EMBEDDED_POSTGRES_START_FAILED'
  /** The server wasn't ready in time. */
  | 'EMBEDDED_POSTGRES_START_TIMED_OUT';

/** The values an error is about, by name: paths, ports, process ids, the last lines of the server's log. */
export type EmbeddedPostgresErrorFields = Readonly<Record<string, string | number | undefined>>;

const marker = Symbol.for('@nestjs-orchestrator/embedded-postgres.error');

/** Every failure of this package. The message says what happened, with which value, and what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  /** Whether the same call may succeed later with nothing changed but time. */
  readonly retryable: boolean;
  readonly [marker] = true;

  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    readonly fields: EmbeddedPostgresErrorFields = {},
    options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.retryable = options.retryable ?? false;
  }
}

/**
 * Tells whether `value` is an error of this package, also when it comes from another copy of it.
 *
 * @param code only errors with this code
 */
export function isEmbeddedPostgresError(
  value: unknown,
  code?: EmbeddedPostgresErrorCode,
): value is EmbeddedPostgresError {
  if (typeof value !== 'object' || value === null || !(marker in value)) return false;
  return code === undefined || (value as EmbeddedPostgresError).code === code;
}

/** The `code` of a Node system error (`ENOENT`, `EACCES`, …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
