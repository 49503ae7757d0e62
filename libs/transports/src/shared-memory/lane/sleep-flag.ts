import type { LaneMemory } from './lane-memory.js';

/**
 * Says whether the reader of an inbox sleeps. The number is odd while it does, and another one for each sleep: a sender that comes late with
 * clearing it can't clear a later sleep. The protocol (contract 33): the sender publishes, then reads the flag; the reader sets the flag, then looks
 * at all lanes again. Whoever finds it set rings first and clears it afterwards: one that dies in between leaves the flag to the next sender.
 */
export class SleepFlag {
  constructor(
    private readonly memory: Pick<LaneMemory, 'load' | 'store' | 'exchange'>,
    private readonly word: number,
  ) {}

  /**
   * Reader: whether it may wait for the bell now. Sets the flag, then looks: what is published before the look is seen by it, and who publishes
   * after it sees the flag.
   */
  trySleep(isReady: () => boolean): boolean {
    this.set();
    if (!isReady()) return true;
    this.wake();
    return false;
  }

  /** Reader: senders need not ring any more. */
  wake(): void {
    const flag = this.memory.load(this.word);
    if ((flag & 1) === 1) this.memory.exchange(this.word, flag, (flag + 1) | 0);
  }

  /** Sender, after publishing: rings where the reader sleeps. */
  rouse(ring: () => void): void {
    const flag = this.memory.load(this.word);
    if ((flag & 1) === 0) return;
    ring();
    this.memory.exchange(this.word, flag, (flag + 1) | 0);
  }

  private set(): void {
    this.memory.store(this.word, this.memory.load(this.word) | 1);
  }
}
