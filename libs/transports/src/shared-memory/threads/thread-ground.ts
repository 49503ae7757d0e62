import { threadId } from 'node:worker_threads';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { LOCK_PATIENCE_MS, LockPatience } from '../lock-patience.js';
import type { Ground } from '../seat/ground.js';
import type { Segment } from '../segment/segment.js';

const LOCK_PAUSE_MS = 1;
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Resolves as `Atomics.waitAsync` of ES2024 does. */
interface WaitAsync {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<string> };
}

/** Words of the lock and of each endpoint's bell. */
export interface ThreadWords {
  /** 0, or 1 + the id of the thread that holds the lock. */
  readonly lock: Int32Array;
  /** Counted up with each ring; one for each slot. */
  readonly bells: Int32Array;
}

/** What threads of one process have instead of the kernel: the lock and the bells lie in the memory, and a thread's end is told by who started it. */
export class ThreadGround implements Ground {
  private isClosed = false;
  private ownSlot: number | undefined = undefined;
  private keepsAlive: NodeJS.Timeout | undefined = undefined;

  constructor(
    private readonly words: ThreadWords,
    private readonly segment: Segment,
  ) {}

  async exclusively<T>(task: () => T): Promise<T> {
    const patience = new LockPatience();
    while (!this.tryLock()) {
      if (patience.isOver()) {
        throw new TransportUnavailableError(
          'worker-threads',
          `the lock of the memory is held for more than ${LOCK_PATIENCE_MS} ms. ` +
            'A thread that was terminated may have held it: give each worker to watchWorker().',
        );
      }
      await new Promise((resolve) => void setTimeout(resolve, LOCK_PAUSE_MS));
    }
    try {
      return task();
    } finally {
      Atomics.store(this.words.lock, 0, 0);
    }
  }

  /** From now on `onRing` is called when this slot's bell is rung. The thread lives as long as it waits for that. */
  settle(slot: number, onRing: () => void): void {
    this.ownSlot = slot;
    this.keepsAlive = setInterval(() => {}, LONGEST_DELAY_MS);
    this.listen(slot, Atomics.load(this.words.bells, slot), onRing);
  }

  isAlive(slot: number, generation: number): boolean {
    return this.segment.endpoints.isLive(slot, generation);
  }

  ring(slot: number): void {
    Atomics.add(this.words.bells, slot, 1);
    Atomics.notify(this.words.bells, slot);
  }

  /** It counts its rings, and is never full. */
  silence(): void {}

  yieldCore(): void {}

  /** A thread's end is told with the registry. */
  watch(): void {}

  forget(): void {}

  remove(): void {}

  withdraw(): void {
    clearInterval(this.keepsAlive);
  }

  unlink(): void {}

  close(): void {
    this.isClosed = true;
    this.withdraw();
    // Ends the wait for the own bell.
    if (this.ownSlot !== undefined) this.ring(this.ownSlot);
  }

  private tryLock(): boolean {
    return Atomics.compareExchange(this.words.lock, 0, 0, threadId + 1) === 0;
  }

  private listen(slot: number, heard: number, onRing: () => void): void {
    const waiting = (Atomics as unknown as WaitAsync).waitAsync(this.words.bells, slot, heard);
    const rung = (): void => {
      if (this.isClosed) return;
      const now = Atomics.load(this.words.bells, slot);
      // Armed first: what is rung while the ring is answered counts as well.
      this.listen(slot, now, onRing);
      onRing();
    };
    if (waiting.async) void waiting.value.then(rung);
    else queueMicrotask(rung);
  }
}
