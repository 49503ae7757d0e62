import { BulkheadFullError } from '../errors.js';
import { mustBeCount, withDefaults } from '../option-rules.js';
import { start, type Call, type Policy } from './policy.js';

/** Options of {@link Bulkhead}. */
export interface BulkheadOptions {
  /** Calls that may run at a time. Default: 10. */
  readonly maxConcurrent?: number;
  /** Calls that may wait for a slot, first come, first served. Default: 0. */
  readonly maxQueue?: number;
}

/** Counts since construction, and what is so now. */
export interface BulkheadStatistics {
  readonly running: number;
  readonly waiting: number;
  /** Calls that found all slots and places taken. */
  readonly refused: number;
  /** Waits that their signal ended. */
  readonly cancelled: number;
}

/** Lets a bounded number of calls run at a time, and a bounded number wait; the rest is refused at once. */
export class Bulkhead implements Policy {
  declare readonly adds?: never;
  private readonly settings: Required<BulkheadOptions>;
  private readonly queue = new Set<() => void>();
  private running = 0;
  private refused = 0;
  private cancelled = 0;

  /** @throws ResilienceOptionError naming the option, its rule and the value */
  constructor(options: BulkheadOptions = {}) {
    this.settings = withDefaults({ maxConcurrent: 10, maxQueue: 0 }, options);
    const values = { ...this.settings };
    mustBeCount(values, 1, 'maxConcurrent');
    mustBeCount(values, 0, 'maxQueue');
  }

  /**
   * Calls the function in a slot, and waits for one if there is room in the queue.
   *
   * @throws BulkheadFullError without calling, if there is none
   */
  async execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.running < this.settings.maxConcurrent) this.running += 1;
    else await this.slot(signal);
    try {
      return await start(call, signal);
    } finally {
      this.leave();
    }
  }

  /** Counts since construction, and what is so now. */
  statistics(): BulkheadStatistics {
    const { running, refused, cancelled } = this;
    return { running, waiting: this.queue.size, refused, cancelled };
  }

  private slot(signal: AbortSignal | undefined): Promise<void> {
    const { maxConcurrent, maxQueue } = this.settings;
    if (this.queue.size >= maxQueue) {
      this.refused += 1;
      throw new BulkheadFullError(maxConcurrent, maxQueue);
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.queue.delete(enter);
        this.cancelled += 1;
        reject(signal?.reason);
      };
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      this.queue.add(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** The slot goes to the first in the queue, so that nobody comes in between. */
  private leave(): void {
    for (const enter of this.queue) {
      this.queue.delete(enter);
      enter();
      return;
    }
    this.running -= 1;
  }
}

/**
 * Makes a {@link Bulkhead}: by default 10 calls at a time, none waiting.
 *
 * @throws ResilienceOptionError naming the option, its rule and the value
 */
export function bulkhead(options: BulkheadOptions = {}): Bulkhead {
  return new Bulkhead(options);
}
