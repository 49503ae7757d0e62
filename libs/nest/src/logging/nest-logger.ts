import type { LoggerService } from '@nestjs/common';
import type { LogFields, Logger } from '@nestjs-orchestrator/core/ports';

/**
 * Brings the framework's log lines to a Nest logger: the message first, its fields as one object after it. Nest's `ConsoleLogger`
 * prints that as one readable line, and with `json: true` as one JSON object with the fields under `params` (with
 * `flattenParams: true`: beside the message).
 */
export class NestLogger implements Logger {
  constructor(private readonly logger: LoggerService) {}

  debug(message: string, fields?: LogFields): void {
    this.logger.debug?.(message, ...present(fields));
  }

  info(message: string, fields?: LogFields): void {
    this.logger.log(message, ...present(fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.logger.warn(message, ...present(fields));
  }

  error(message: string, fields?: LogFields): void {
    this.logger.error(message, ...present(fields));
  }
}

/** Fields that have a value; nothing at all where there are none, lest loggers print an empty object. */
function present(fields: LogFields = {}): readonly LogFields[] {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? [] : [Object.fromEntries(entries)];
}
