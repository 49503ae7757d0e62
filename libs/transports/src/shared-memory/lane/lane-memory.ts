/**
 * The steps that a lane takes in memory that others see. Lane and sleep flag are written against this, so that a model can run the very same
 * code one step at a time (`lane.model.spec.ts`). Control words are touched by `load`, `store` and `exchange` only, each of them sequentially
 * consistent; bytes are read and written plainly.
 */
export interface LaneMemory {
  /** Bytes of the ring; a power of two. */
  readonly capacity: number;
  load(word: number): number;
  store(word: number, value: number): void;
  /** Compare-and-swap: whether the word was `expected`, and is `value` by now. */
  exchange(word: number, expected: number, value: number): boolean;
  /** Writes two 32-bit numbers, as the bytes from `at` in the ring; `at` is a multiple of eight. */
  writePair(at: number, first: number, second: number): void;
  /** Writes bytes from `at` in the ring on; they don't reach beyond its end. */
  write(at: number, bytes: Uint8Array): void;
  /** A copy of bytes in the ring; they don't reach beyond its end. `at` and `length` are multiples of eight; so is the copy's place in its buffer. */
  copy(at: number, length: number): Uint8Array;
}

/** Control words of a lane, as indexes of `load`, `store` and `exchange`. What the two sides write lies on cache lines of their own. */
export const laneWords = {
  /** Producer: bytes published since the lane was opened, modulo 2^32. */
  tail: 0,
  /** Producer: 1 while somebody waits for room. */
  wantsRoom: 1,
  /** Producer: generation of the sender, and of the receiver that the lane was opened for (0: closed). */
  openedBy: 2,
  openedFor: 3,
  /** Consumer: bytes taken, modulo 2^32. */
  head: 16,
  /** Consumer: generation of the last sender whose lane was read to its end after it had gone. */
  retired: 17,
} as const;

/** Bytes of the control words of a lane, two cache lines. */
export const LANE_CONTROL_BYTES = 128;

/** Copies are cut from pieces of memory of this size, which are given up when they are used up: an allocation for each costs more than the copying. */
const SLAB_BYTES = 16_384;
/** A longer copy has memory of its own. */
const LONGEST_CUT = 2_048;
/** Up to here words are copied one by one: a call of the engine's costs more. */
const FEW_BYTES = 512;

/** Lane memory over a buffer that processes or threads share. */
export class SharedLaneMemory implements LaneMemory {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly pairs: Int32Array;
  private slab = new Int32Array(0);
  /** Words of the slab that are given away. */
  private cut = 0;

  constructor(
    buffer: ArrayBufferLike,
    controlAt: number,
    ringAt: number,
    readonly capacity: number,
  ) {
    this.words = new Int32Array(buffer, controlAt, LANE_CONTROL_BYTES / 4);
    this.bytes = new Uint8Array(buffer, ringAt, capacity);
    this.pairs = new Int32Array(buffer, ringAt, capacity / 4);
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

  writePair(at: number, first: number, second: number): void {
    this.pairs[at >>> 2] = first;
    this.pairs[(at >>> 2) + 1] = second;
  }

  write(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
  }

  copy(at: number, length: number): Uint8Array {
    // Into memory of its own, also where the ring lies in a SharedArrayBuffer.
    if (length > LONGEST_CUT) return this.bytes.slice(at, at + length);
    const words = length >>> 2;
    if (this.cut + words > this.slab.length) {
      this.slab = new Int32Array(SLAB_BYTES / 4);
      this.cut = 0;
    }
    const { slab, cut } = this;
    this.cut = cut + words;
    const copy = new Uint8Array(slab.buffer, cut * 4, length);
    if (length <= FEW_BYTES) copyWords(this.pairs, at >>> 2, slab, cut, words);
    else copy.set(this.bytes.subarray(at, at + length));
    return copy;
  }
}

function copyWords(from: Int32Array, first: number, to: Int32Array, at: number, count: number): void {
  for (let n = 0; n < count; n += 1) to[at + n] = from[first + n] as number;
}
