import type { LoggerService } from '@nestjs/common';
import { systemClock } from '@nestjs-orchestrator/core/ports';

/** Milliseconds between two tries. */
const PAUSE_MS = 1_000;

/** Joins again after a place was lost: at once, then each second, until that succeeds or nobody wants it any more. */
export class WayBack {
  private trying: Promise<void> | undefined;
  /** A place was lost for which no try has begun. */
  private isWanted = false;
  private endPause: () => void = () => undefined;
  private isOver = false;

  constructor(
    private readonly join: () => Promise<void>,
    private readonly logger: LoggerService,
  ) {}

  /** A place was lost. Where that is the one just found, it is tried once more. */
  begin(): void {
    if (this.isOver) return;
    this.isWanted = true;
    this.trying ??= this.tryOn();
  }

  /** Settles when no try is under way any more; none follows. */
  async end(): Promise<void> {
    this.isOver = true;
    this.endPause();
    await this.trying;
  }

  private async tryOn(): Promise<void> {
    while (this.isWanted && !this.isOver) {
      this.isWanted = false;
      try {
        await this.join();
      } catch (error) {
        this.isWanted = true;
        this.logger.warn(`No place could be taken again, it is tried once more: ${String(error)}`);
        await this.pause();
      }
    }
    // In the same step as the last look.
    this.trying = undefined;
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
