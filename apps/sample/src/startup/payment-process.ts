import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, extname, join } from 'node:path';
import { Logger } from '@nestjs/common';
import { READY } from './start-payments.js';

/** The process of payment could not be started. */
export class PaymentProcessError extends Error {
  override readonly name = 'PaymentProcessError';
  readonly code = 'PAYMENT_PROCESS';
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
const PATIENCE_MS = 15_000;

/** Payment in a process of its own, started again when it dies. */
export class PaymentProcess {
  private readonly logger = new Logger('Payments');
  private child: ChildProcess | undefined;
  private pause = FIRST_PAUSE_MS;
  private restart: NodeJS.Timeout | undefined;
  private stopping = false;

  /** @param environment what it is given beyond our own */
  constructor(
    private readonly environment: Readonly<Record<string, string>>,
    private readonly program = join(
      dirname(process.argv[1] ?? ''),
      `payments.main${extname(process.argv[1] ?? '')}`,
    ),
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /**
   * Settles when it takes payments.
   *
   * @throws PaymentProcessError
   */
  async start(): Promise<void> {
    const child = fork(this.program, { env: { ...process.env, ...this.environment } });
    this.child = child;
    const ended = once(child, 'exit');
    const ready = new Promise<'ready'>((resolve) =>
      child.on('message', (message) => void (message === READY && resolve('ready'))),
    );
    if ((await Promise.race([ready, ended])) !== 'ready')
      throw new PaymentProcessError(`The process of payment ended at its start; it says above why.`);
    this.pause = FIRST_PAUSE_MS;
    this.logger.log(`Payments run in process ${child.pid}`);
    child.once('exit', (code, signal) => this.again(`ended by ${signal ?? `code ${code}`}`));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await gone;
    clearTimeout(patience);
  }

  private again(why: string): void {
    if (this.stopping) return;
    this.logger.warn(`Payments: ${why}; starting again`);
    this.restart = setTimeout(() => {
      this.start().catch((error: unknown) => this.again(String(error)));
    }, this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }
}
