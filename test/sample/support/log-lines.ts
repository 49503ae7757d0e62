import type { LoggerService } from '@nestjs/common';

/**
 * The application's log, and our bell: lines about sagas are written after their commit, and its fault points ring as well, so whatever a test waits
 * for can be looked at again whenever something has happened. Nothing sleeps, and nothing is polled.
 */
export class LogLines implements LoggerService {
  readonly lines: string[] = [];
  private readonly listeners = new Set<() => void>();

  log = this.write.bind(this, 'log');
  error = this.write.bind(this, 'error');
  warn = this.write.bind(this, 'warn');
  debug = this.write.bind(this, 'debug');
  verbose = this.write.bind(this, 'verbose');
  fatal = this.write.bind(this, 'fatal');

  /** Looks now, and again after each ring, until `look` answers something. */
  async until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const rung = this.nextRing();
      const found = await look();
      if (found !== undefined) return found;
      await rung;
    }
  }

  ring(): void {
    for (const listener of this.listeners) listener();
  }

  private nextRing(): Promise<void> {
    return new Promise((resolve) => {
      const listener = (): void => {
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  private write(level: string, message: unknown, ...rest: unknown[]): void {
    this.lines.push(
      `${level} ${[message, ...rest].map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ')}`,
    );
    this.ring();
  }
}
