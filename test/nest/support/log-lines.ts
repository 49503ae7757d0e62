import type { LogFields, Logger } from '@nestjs-orchestrator/core/ports';

/** Keeps the framework's log lines. A line is written only after its commit, so a test can wait for one instead of for time to pass. */
export class LogLines implements Logger {
  readonly all: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  private readonly waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  /** Resolves when a line that contains the text has been written. */
  seen(text: string): Promise<void> {
    if (this.all.some(({ message }) => message.includes(text))) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ text, resolve }));
  }

  readonly debug = this.writer('debug');
  readonly info = this.writer('info');
  readonly warn = this.writer('warn');
  readonly error = this.writer('error');

  private writer(level: string): (message: string, fields?: LogFields) => void {
    return (message, fields = {}) => {
      this.all.push({ level, message, fields });
      for (const entry of this.waiting) if (message.includes(entry.text)) entry.resolve();
    };
  }
}
