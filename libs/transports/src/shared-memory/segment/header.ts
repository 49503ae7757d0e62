import { AtomicWords } from './atomic-words.js';
import { HEADER_BYTES, type SegmentShape } from './layout.js';
import { textAt, utf8 } from './text.js';

/** 'XORC'. */
export const MAGIC = 0x584f5243;
/** Of the layout and of every protocol on it. */
export const VERSION = 2;

/** Magic, version and the lock stand at these places in every version. */
const MAGIC_WORD = 0;
const VERSION_WORD = 1;
const READY = 2;
const MAX_ENDPOINTS = 3;
const MAX_NAMES = 4;
const LANE_BYTES = 5;
const CLUSTER_BYTES = 6;
/** Counted up with each endpoint that comes or goes, and with each name. */
const MEMBERS = 16;
const NAMES = 32;
const NUMBERS_AT = 256;
const CLUSTER_AT = 320;

/** The file whose lock guards a segment: two processes with different ones must not meet in it. */
export interface LockIdentity {
  readonly device: number;
  readonly inode: number;
}

/** The first page of a segment. */
export class SegmentHeader {
  private readonly words: AtomicWords;
  /** Device and inode of the lock file, and when the segment was made (milliseconds since the epoch). */
  private readonly numbers: Float64Array;

  constructor(private readonly buffer: ArrayBufferLike) {
    this.words = new AtomicWords(buffer, 0, HEADER_BYTES);
    this.numbers = new Float64Array(buffer, NUMBERS_AT, 3);
  }

  get magic(): number {
    return this.words.load(MAGIC_WORD);
  }

  get version(): number {
    return this.words.load(VERSION_WORD);
  }

  /** Whether its maker has finished. */
  get isReady(): boolean {
    return this.words.load(READY) === 1;
  }

  /** Whether nobody has written anything here. */
  get isBlank(): boolean {
    return new Uint8Array(this.buffer, 0, HEADER_BYTES).every((byte) => byte === 0);
  }

  get shape(): SegmentShape {
    const { words } = this;
    return {
      maxEndpoints: words.load(MAX_ENDPOINTS),
      maxNames: words.load(MAX_NAMES),
      laneBytes: words.load(LANE_BYTES),
    };
  }

  get cluster(): string {
    return textAt(this.buffer, CLUSTER_AT, this.words.load(CLUSTER_BYTES) & 0xff);
  }

  get lock(): LockIdentity {
    const [device = 0, inode = 0] = this.numbers;
    return { device, inode };
  }

  get createdAt(): number {
    return this.numbers[2] ?? 0;
  }

  get membersVersion(): number {
    return this.words.load(MEMBERS);
  }

  get namesVersion(): number {
    return this.words.load(NAMES);
  }

  membersChanged(): void {
    this.words.increment(MEMBERS);
  }

  namesChanged(): void {
    this.words.increment(NAMES);
  }

  /** Fills the header of a new segment. */
  write(cluster: string, shape: SegmentShape, lock: LockIdentity, createdAt: number): void {
    const { words } = this;
    const name = utf8(cluster);
    new Uint8Array(this.buffer, CLUSTER_AT, name.length).set(name);
    this.numbers.set([lock.device, lock.inode, createdAt]);
    words.store(CLUSTER_BYTES, name.length);
    words.store(MAX_ENDPOINTS, shape.maxEndpoints);
    words.store(MAX_NAMES, shape.maxNames);
    words.store(LANE_BYTES, shape.laneBytes);
    words.store(VERSION_WORD, VERSION);
    words.store(MAGIC_WORD, MAGIC);
    words.store(READY, 1);
  }
}
