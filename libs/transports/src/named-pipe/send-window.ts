import { HEAD_BYTES, kinds, lengthIn, wordAt, writeHead } from './records.js';

const MOST_SLAB_BYTES = 65_536;
const LEAST_SLAB_BYTES = 1_024;
const SLABS_PER_WINDOW = 8;
/** As many as are confirmed at once: a peer does so for each quarter of the window. */
const MOST_SPARES = 4;

/** Frames one behind the other, ready for the socket. */
interface Slab {
  bytes: Uint8Array;
  filled: number;
  /** How much of it the socket was given. */
  written: number;
  /** Number of its last frame. */
  last: number;
}

/** Frames to one peer until it has confirmed them, with heads and numbers, so that they can be sent again after a break. */
export class SendWindow {
  private readonly slabs: Slab[] = [];
  private readonly slabBytes: number;
  private readonly spares: Uint8Array[] = [];
  /** Index of the slab that is written from. */
  private at = 0;
  private held = 0;
  private newest = 0;

  constructor(private readonly limit: number) {
    const share = Math.floor(limit / SLABS_PER_WINDOW);
    this.slabBytes = Math.max(LEAST_SLAB_BYTES, Math.min(MOST_SLAB_BYTES, share));
  }

  /** Number of the frame that was added last. */
  get last(): number {
    return this.newest;
  }

  get isEmpty(): boolean {
    return this.held === 0;
  }

  /** Whether there is room for a frame; one of any size where nothing waits. */
  fits(frameBytes: number): boolean {
    return this.held === 0 || this.held + HEAD_BYTES + frameBytes <= this.limit;
  }

  /** Copies a frame in. Whether a slab is full, so that writing should not wait for more. */
  add(frame: Uint8Array): boolean {
    const bytes = HEAD_BYTES + frame.length;
    let slab = this.slabs.at(-1);
    const isNew = slab === undefined || slab.bytes.length - slab.filled < bytes;
    if (slab === undefined || isNew) slab = this.open(bytes);
    this.newest += 1;
    writeHead(slab.bytes, slab.filled, kinds.frame, frame.length, this.newest);
    slab.bytes.set(frame, slab.filled + HEAD_BYTES);
    slab.filled += bytes;
    slab.last = this.newest;
    this.held += bytes;
    return isNew && this.slabs.length > 1;
  }

  /** What is to be written next. */
  next(): Uint8Array | undefined {
    for (;;) {
      const slab = this.slabs[this.at];
      if (slab === undefined) return undefined;
      if (slab.written < slab.filled) {
        const batch = slab.bytes.subarray(slab.written, slab.filled);
        slab.written = slab.filled;
        return batch;
      }
      if (this.at === this.slabs.length - 1) return undefined;
      this.at += 1;
    }
  }

  /** Forgets the frames up to that number. `false`: there is no such frame. */
  confirm(count: number): boolean {
    if (count > this.newest) return false;
    let gone = 0;
    for (const slab of this.slabs) {
      if (slab.last > count) break;
      this.held -= slab.filled;
      if (slab.bytes.length === this.slabBytes && this.spares.length < MOST_SPARES)
        this.spares.push(slab.bytes);
      gone += 1;
    }
    if (gone > 0) {
      this.slabs.splice(0, gone);
      this.at = Math.max(0, this.at - gone);
    }
    return true;
  }

  /** After a break: what the peer has is forgotten, the rest will be written again. `false`: the peer says what can't be. */
  rewind(count: number): boolean {
    if (!this.confirm(count)) return false;
    this.at = 0;
    for (const slab of this.slabs) slab.written = 0;
    const [first] = this.slabs;
    if (first === undefined) return true;
    let number = first.last - framesIn(first) + 1;
    for (; number <= count; number += 1) first.written += sizeAt(first, first.written);
    return true;
  }

  private open(bytes: number): Slab {
    const size = Math.max(bytes, this.slabBytes);
    const isUsual = size === this.slabBytes;
    const slab = {
      // Memory of its own, never cleared: it is written before it is read.
      bytes: (isUsual ? this.spares.pop() : undefined) ?? Buffer.allocUnsafeSlow(size),
      filled: 0,
      written: 0,
      last: this.newest,
    };
    this.slabs.push(slab);
    return slab;
  }
}

const sizeAt = (slab: Slab, at: number): number => HEAD_BYTES + lengthIn(wordAt(slab.bytes, at));

function framesIn(slab: Slab): number {
  let frames = 0;
  for (let at = 0; at < slab.filled; at += sizeAt(slab, at)) frames += 1;
  return frames;
}
