import type { GroupCore } from './group-core.js';

/** Actions and activities that were told to end and have not yet. */
export class Endings {
  private readonly underWay = new Set<Promise<void>>();
  private collected: Promise<void>[] | undefined = undefined;

  constructor(private readonly core: GroupCore) {}

  add(work: Promise<unknown>): void {
    const ended: Promise<void> = work.then(
      () => this.forget(ended),
      () => this.forget(ended),
    );
    this.underWay.add(ended);
    this.collected?.push(ended);
  }

  /** Settles when everything that `end` tells to end has ended, or its time is over. */
  async of(end: () => void): Promise<void> {
    const collected = (this.collected = []);
    try {
      end();
    } finally {
      this.collected = undefined;
    }
    await this.atMost(collected);
  }

  /** Settles when nothing is under way, or the time is over. */
  async all(): Promise<void> {
    await this.atMost([...this.underWay]);
  }

  private forget(ended: Promise<void>): void {
    this.underWay.delete(ended);
  }

  private async atMost(works: readonly Promise<void>[]): Promise<void> {
    if (works.length === 0) return;
    const { clock, settings, logger, name } = this.core;
    const { releaseTimeoutMs } = settings;
    let left = works.length;
    for (const work of works) void work.then(() => (left -= 1));
    await new Promise<void>((resolve) => {
      const timer = clock.schedule(releaseTimeoutMs, () => {
        logger.warn(`${left} actions or activities did not heed their signal within ${releaseTimeoutMs} ms`, {
          group: name,
        });
        resolve();
      });
      void Promise.all(works).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
