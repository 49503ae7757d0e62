import { type LaneMemory, laneWords } from './lane-memory.js';
import { checkSum, type Crc32, RECORD_HEADER_BYTES, recordBytes } from './record.js';

/**
 * The producing side of a lane: the one process that may write. A record becomes visible by the store of the tail and not before, so a
 * process that dies anywhere leaves nothing half-written to be seen.
 */
export class LaneWriter {
  private tail = 0;
  /** The head as it was seen last: it is read again only when it lets no room. */
  private head = 0;
  private readonly mask: number;

  constructor(
    private readonly memory: LaneMemory,
    private readonly crc?: Crc32,
  ) {
    this.mask = memory.capacity - 1;
  }

  /** Bytes of the largest payload. */
  static maxPayload(capacity: number): number {
    return capacity - RECORD_HEADER_BYTES;
  }

  /** Starts the lane anew. Only while nobody reads it: its former reader is gone, or has retired it. */
  open(sender: number, receiver: number): void {
    const { memory } = this;
    memory.store(laneWords.openedFor, 0);
    memory.store(laneWords.wantsRoom, 0);
    memory.store(laneWords.tail, 0);
    memory.store(laneWords.head, 0);
    memory.store(laneWords.openedBy, sender);
    memory.store(laneWords.openedFor, receiver);
    this.tail = 0;
    this.head = 0;
  }

  /** Publishes a frame; `false` says that there is no room. */
  tryWrite(frame: Uint8Array): boolean {
    const bytes = recordBytes(frame.length);
    if (!this.hasRoomFor(frame.length)) return false;
    const { memory, mask } = this;
    memory.writePair(this.tail & mask, frame.length, checkSum(frame, this.crc));
    if (frame.length > 0) this.writePayload((this.tail + RECORD_HEADER_BYTES) & mask, frame);
    this.tail = (this.tail + bytes) | 0;
    memory.store(laneWords.tail, this.tail);
    return true;
  }

  /** Says that somebody waits for room; look for it again after this. */
  wantRoom(wanted: boolean): void {
    this.memory.store(laneWords.wantsRoom, wanted ? 1 : 0);
  }

  /** Whether a frame of so many bytes would be taken now. */
  hasRoomFor(length: number): boolean {
    const { capacity } = this.memory;
    const bytes = recordBytes(length);
    if (((this.tail - this.head) >>> 0) + bytes <= capacity) return true;
    this.head = this.memory.load(laneWords.head);
    const used = (this.tail - this.head) >>> 0;
    if (used <= capacity) return used + bytes <= capacity;
    // No head can be beyond the tail: somebody wrote over one of the two. The reader goes on from the tail once it is right.
    this.head = (this.tail - capacity) | 0;
    this.memory.store(laneWords.tail, this.tail);
    return false;
  }

  private writePayload(at: number, frame: Uint8Array): void {
    const toEnd = this.memory.capacity - at;
    if (frame.length <= toEnd) {
      this.memory.write(at, frame);
    } else {
      this.memory.write(at, frame.subarray(0, toEnd));
      this.memory.write(0, frame.subarray(toEnd));
    }
  }
}
