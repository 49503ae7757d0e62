import { type LaneMemory, laneWords } from './lane-memory.js';
import { checkSum, type Crc32, RECORD_HEADER_BYTES, recordBytes } from './record.js';

/** Bytes that are copied out at once. Frames are cut from such a block, so one that is kept keeps its block. */
const BLOCK_BYTES = 16_384;

const NOTHING = new Uint8Array(0);

/** What a {@link LaneReader} reports. */
export interface LaneFaults {
  /** `bytes` of the lane were thrown away: `frames` records, or what can't be told apart any more (0). */
  onCorrupt(frames: number, bytes: number): void;
}

/**
 * The consuming side of a lane: the one process that may take. Records are copied out, whole ones many at a time, before the head moves, and
 * are looked at in the copy only: what others write into the lane meanwhile changes nothing.
 */
export class LaneReader {
  private head = 0;
  private block: Uint8Array = NOTHING;
  /** The words of the memory that the block is cut from, and the first of the block's. */
  private fields: Int32Array = new Int32Array(0);
  private firstField = 0;
  private at = 0;
  private end = 0;
  /** The tail that was given up last: there is nothing to read until the sender has moved it. */
  private givenUp: number | undefined = undefined;
  private readonly mask: number;

  constructor(
    private readonly memory: LaneMemory,
    private readonly faults: LaneFaults,
    private readonly crc?: Crc32,
  ) {
    this.mask = memory.capacity - 1;
    this.head = memory.load(laneWords.head);
  }

  /** Whether `sender` has opened the lane for `receiver`. */
  static isOpen(memory: LaneMemory, sender: number, receiver: number): boolean {
    return memory.load(laneWords.openedBy) === sender && memory.load(laneWords.openedFor) === receiver;
  }

  /** Whether there is something to read. */
  get isReady(): boolean {
    if (this.at < this.end) return true;
    const tail = this.memory.load(laneWords.tail);
    return tail !== this.head && tail !== this.givenUp;
  }

  /** Whether the sender waits for room. */
  get isRoomWanted(): boolean {
    return this.memory.load(laneWords.wantsRoom) === 1;
  }

  /** The next frame, in memory of its own. */
  read(): Uint8Array | undefined {
    for (;;) {
      if (this.at === this.end && !this.refill()) return undefined;
      const field = this.firstField + (this.at >>> 2);
      const length = this.fields[field] as number;
      const sum = this.fields[field + 1] as number;
      const { block } = this;
      const frame = new Uint8Array(block.buffer, block.byteOffset + this.at + RECORD_HEADER_BYTES, length);
      this.at += recordBytes(length);
      if (checkSum(frame, this.crc) === sum) return frame;
      this.faults.onCorrupt(1, recordBytes(length));
    }
  }

  /** Says that nobody reads this lane of a sender that is gone any more: its place may be given away. */
  retire(sender: number): void {
    this.memory.store(laneWords.retired, sender);
  }

  private refill(): boolean {
    const tail = this.memory.load(laneWords.tail);
    const used = (tail - this.head) >>> 0;
    if (used === 0 || tail === this.givenUp) return false;
    if (used > this.memory.capacity || (used & 7) !== 0) return this.giveUp(tail, used);
    const from = this.head & this.mask;
    const contiguous = Math.min(used, this.memory.capacity - from);
    this.takeBlock(from, contiguous);
    const whole = this.wholeRecords(used);
    if (whole < 0) return this.giveUp(tail, used);
    if (whole > 0) this.end = whole;
    else this.takeLarge(from, used);
    if (this.end === 0) return this.giveUp(tail, used);
    this.moveTo((this.head + this.end) | 0);
    return true;
  }

  /** As much as a block has; of a record that is larger only its header, so that it is copied once. */
  private takeBlock(from: number, bytes: number): void {
    if (bytes > BLOCK_BYTES) {
      this.take(this.memory.copy(from, RECORD_HEADER_BYTES));
      if (this.recordAt(0) > BLOCK_BYTES) return;
    }
    this.take(this.memory.copy(from, Math.min(bytes, BLOCK_BYTES)));
  }

  /** Bytes of the whole records at the beginning of the block; -1 where it begins with what can't be a record. */
  private wholeRecords(used: number): number {
    const { length } = this.block;
    let whole = 0;
    while (whole < length) {
      const bytes = this.recordAt(whole);
      if (bytes > used - whole) return whole === 0 ? -1 : whole;
      if (bytes > length - whole) break;
      whole += bytes;
    }
    return whole;
  }

  /** Bytes of the record at a place of the block, by its header; endless where the length makes no sense. */
  private recordAt(at: number): number {
    const length = this.fields[this.firstField + (at >>> 2)] as number;
    return length < 0 ? Infinity : recordBytes(length);
  }

  /** One record that is larger than a block or goes over the ring's end. */
  private takeLarge(from: number, used: number): void {
    const bytes = this.recordAt(0);
    const toEnd = Math.min(bytes, this.memory.capacity - from);
    const first = this.memory.copy(from, toEnd);
    if (toEnd === bytes) {
      this.take(first);
    } else {
      const joined = new Uint8Array(bytes);
      joined.set(first);
      joined.set(this.memory.copy(0, bytes - toEnd), toEnd);
      this.take(joined);
    }
    // The header was copied a second time: only what is sound in this copy counts.
    this.end = this.recordAt(0) === bytes && bytes <= used ? bytes : 0;
  }

  private take(block: Uint8Array): void {
    this.block = block;
    if (this.fields.buffer !== block.buffer) this.fields = new Int32Array(block.buffer);
    this.firstField = block.byteOffset >>> 2;
    this.at = 0;
    this.end = 0;
  }

  /** Lengths are wrong: nothing up to the tail can be told apart. What comes after it can. */
  private giveUp(tail: number, used: number): false {
    this.at = 0;
    this.end = 0;
    // The head can't come to one that is no multiple of eight; one that is may be the sender's own another time.
    this.givenUp = (tail & 7) === 0 ? undefined : tail;
    this.moveTo(tail & ~7);
    this.faults.onCorrupt(0, used);
    return false;
  }

  private moveTo(head: number): void {
    this.head = head;
    this.memory.store(laneWords.head, head);
  }
}
