/** Control words that others see: touched by Atomics only. */
export class AtomicWords {
  private readonly words: Int32Array;

  constructor(buffer: ArrayBufferLike, offset: number, bytes: number) {
    this.words = new Int32Array(buffer, offset, bytes / 4);
  }

  load(word: number): number {
    return Atomics.load(this.words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  exchange(word: number, expected: number, value: number): boolean {
    return Atomics.compareExchange(this.words, word, expected, value) === expected;
  }

  increment(word: number): void {
    Atomics.add(this.words, word, 1);
  }
}
