/** Structured fields of one log line. Never bodies of messages nor secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where the framework's log lines go. `libs/nest` binds it to Nest's logger. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Swallows everything; the default where no logger is given. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
