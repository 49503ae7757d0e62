import { resolve } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';

/** What {@link startEmbeddedPostgres} may be told. Only `dataDir` has no default. */
export interface EmbeddedPostgresOptions {
  /**
   * Folder that keeps the data, made when absent; relative to the working directory. One live process at a time
   * may use it. Postgres' own files are in its subfolder `cluster`, other files in it are left alone.
   */
  readonly dataDir: string;
  /** TCP port, 1 to 65535. Default: a free one, another at each start. */
  readonly port?: number;
  /** Loopback address to listen on; the server is never reachable from other machines. Default `127.0.0.1`. */
  readonly host?: '127.0.0.1' | '::1';
  /** Role that owns the database, a superuser; made when absent. Default `postgres`. */
  readonly user?: string;
  /** Its password. Default: a random one, kept in `credentials.json` (mode 0600) in the data directory. */
  readonly password?: string;
  /** Database in the url, made when absent. Default `app`. */
  readonly database?: string;
  /** Further server settings, as in `postgresql.conf`: `{ max_connections: '200' }`. They win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Whether a commit survives the loss of power. With `false` it survives the end of every process, also of the
   * server, but not of the machine; for data that is thrown away. Default `true`.
   */
  readonly durable?: boolean;
  /** Milliseconds the server may take to be ready, recovery after a crash included. Default 60 000. */
  readonly startTimeoutMs?: number;
  /**
   * Stop the server when this process ends by itself, by `process.exit` or by an uncaught error. Signals stay the
   * application's: one that kills the process leaves the server to the next start. Default `false`.
   */
  readonly stopOnExit?: boolean;
  /** Told what is done at the moment, a sentence each; the first start takes a second or so. */
  readonly onProgress?: (line: string) => void;
  /** Told every line that the server logs. */
  readonly onLog?: (line: string) => void;
}

/** The options with every default filled in. */
export interface ResolvedOptions extends Required<Omit<EmbeddedPostgresOptions, 'port' | 'password'>> {
  readonly port: number | undefined;
  readonly password: string | undefined;
}

/** Fills in the defaults; throws `EMBEDDED_POSTGRES_OPTION_INVALID` for a value that can't work. */
export function resolveOptions(options: EmbeddedPostgresOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    host: '127.0.0.1',
    user: 'postgres',
    database: 'app',
    settings: {},
    durable: true,
    startTimeoutMs: 60_000,
    stopOnExit: false,
    onProgress: () => undefined,
    onLog: () => undefined,
    ...withoutUndefined(options),
    port: options.port,
    password: options.password,
    dataDir: typeof options.dataDir === 'string' && options.dataDir !== '' ? resolve(options.dataDir) : '',
  };
  check(resolved);
  return resolved;
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

function check(options: ResolvedOptions): void {
  checkPlace(options);
  checkCredentials(options);
  const { startTimeoutMs, settings } = options;
  if (!(Number.isFinite(startTimeoutMs) && startTimeoutMs > 0))
    throw invalid('startTimeoutMs', String(startTimeoutMs), 'use a positive number of milliseconds');
  for (const name of Object.keys(settings))
    if (!/^[a-z_][a-z0-9_.]*$/i.test(name))
      throw invalid('settings', name, 'use names of Postgres settings, such as max_connections');
}

function checkPlace({ dataDir, port, host }: ResolvedOptions): void {
  if (dataDir === '') throw invalid('dataDir', String(dataDir), 'name a folder, such as "./data"');
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw invalid(
      'port',
      String(port),
      'use a whole number from 1 to 65535, or leave it out for a free port',
    );
  if (host !== '127.0.0.1' && host !== '::1')
    throw invalid('host', String(host), 'use 127.0.0.1 or ::1: this server is for its own machine only');
}

function checkCredentials({ user, database, password }: ResolvedOptions): void {
  for (const [name, value] of Object.entries({ user, database }))
    if (!isIdentifier(value)) throw invalid(name, value, 'use 1 to 63 bytes without control characters');
  if (password !== undefined && (password === '' || hasControlCharacter(password)))
    throw invalid('password', '(hidden)', 'use one or more characters, none of them a control character');
}

function isIdentifier(value: string): boolean {
  const bytes = Buffer.byteLength(value);
  return bytes >= 1 && bytes <= 63 && !hasControlCharacter(value);
}

function hasControlCharacter(value: string): boolean {
  return /\p{Cc}/u.test(value);
}

function invalid(option: string, value: string, advice: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_OPTION_INVALID',
    `The option ${option} of the embedded Postgres can't be ${JSON.stringify(value)}: ${advice}.`,
    { option, value },
  );
}
