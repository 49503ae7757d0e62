import type { GivenUp } from '@nestjs-orchestrator/core/ports';
import type { Item } from './feed-item.js';
import type { PartitionScripts } from './partition-scripts.js';
import type { Turnstile } from './turnstile.js';

/** From so many deaths on a frame is run alone. */
const ALONE = 2;

/** What suspects need of their partition. */
export interface SuspectsGround {
  /** Through it they go one at a time in all of the process. */
  readonly turnstile: Turnstile;
  readonly maxAttempts: number;
  /** Nothing is handed over any more. */
  readonly closed: () => boolean;
  readonly counted: (item: Item, deliveries: number) => void;
  readonly offer: (item: Item) => void;
  /** Settles when it is a letter: where the server is away, when that is back. */
  readonly bury: (item: Item, why: GivenUp) => Promise<void>;
  /** The partition is another's by now. */
  readonly fenced: () => void;
  /** Calls back, once, when less is under way, or nothing will be any more. */
  readonly whenQuiet: (look: () => void) => void;
}

/** Frames that may have ended processes: each is counted before it runs, and runs alone. Those behind them wait. */
export class Suspects {
  private readonly queue: Item[] = [];
  private alone = false;

  constructor(
    private readonly scripts: PartitionScripts,
    private readonly ground: SuspectsGround,
  ) {}

  /** Whether it is one of them, or has to wait for them. */
  keeps(item: Item): boolean {
    if (!this.alone && item.failures < ALONE) return false;
    this.queue.push(item);
    return true;
  }

  /** Runs those that it keeps, unless it does so already. */
  run(): void {
    if (this.queue.length > 0 && !this.alone) void this.runQueue();
  }

  private async runQueue(): Promise<void> {
    const { closed, offer } = this.ground;
    this.alone = true;
    for (let item = this.queue.shift(); item !== undefined && !closed(); item = this.queue.shift()) {
      if (item.failures < ALONE) offer(item);
      else await this.runAlone(item);
    }
    this.alone = false;
  }

  private async runAlone(item: Item): Promise<void> {
    const { turnstile, maxAttempts, closed, counted, offer, bury, whenQuiet } = this.ground;
    await turnstile.pass(async () => {
      const count = await this.countFirst(item);
      if (count === undefined || closed()) return;
      item.failures = count - 1;
      item.counted = true;
      counted(item, count);
      // Whatever only lay beside a frame that ended its process has its chance alone.
      if (count > Math.max(maxAttempts, ALONE + 1)) {
        await bury(item, { deadLetter: `It was under way ${count - 1} times when its process ended.` });
        return;
      }
      offer(item);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (closed() || item.isDone) resolve();
          else whenQuiet(look);
        };
        look();
      });
    });
  }

  /** undefined: the partition is not this one's any more. */
  private async countFirst({ id }: Item): Promise<number | undefined> {
    while (!this.ground.closed()) {
      try {
        const count = await this.scripts.count(id);
        if (count > 0) return count;
        this.ground.fenced();
        return undefined;
      } catch {
        await this.scripts.pause();
      }
    }
    return undefined;
  }
}
