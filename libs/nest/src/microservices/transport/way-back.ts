import type { LoggerService } from '@nestjs/common';
import { systemClock } from '@nestjs-orchestrator/core/ports';

/** Milliseconds between two tries. */
const PAUSE_MS = 1_000;

/** Joins again after a place was lost: at once, then each second, until that succeeds or nobody wants it any more. */
export class WayBack {
  private trying: Promise<void> | undefined;
  private endPause: () => void = () => undefined;
  private isOver = false;

  constructor(
    private readonly join: () => Promise<void>,
    private readonly logger: LoggerService,
  ) {}

  /** Does nothing while it is under way already. */
  begin(): void {
    if (!this.isOver) this.trying ??= this.tryOn().finally(() => (this.trying = undefined));
  }

  /** Settles when no try is under way any more; none follows. */
  async end(): Promise<void> {
    this.isOver = true;
    this.endPause();
    await this.trying;
  }

  private async tryOn(): Promise<void> {
    while (!this.isOver) {
      try {
        await this.join();
        return;
      } catch (error) {
        this.logger.warn(`No place could be taken again, it is tried once more: ${String(error)}`);
        await this.pause();
      }
    }
  }

  private async pause(): Promise<void> {
    if (this.isOver) return;
    await new Promise<void>((resolve) => {
      const timer = systemClock.schedule(PAUSE_MS, resolve);
      this.endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
