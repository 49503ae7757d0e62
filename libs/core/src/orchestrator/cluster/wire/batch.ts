import { MAGIC, VERSION } from './format.js';
import { LONGEST_NUMBER, NumberWriter, WORST_BYTES } from '../../../framing/numbers.js';

/** Bytes of a frame beside heads and payloads. */
export const FRAME_OVERHEAD = 2 + 2 * LONGEST_NUMBER;
/** Bytes that a head takes at most. */
export const LONGEST_HEAD = 1 + 3 * LONGEST_NUMBER;
/** Characters of payloads that make a frame worth sending before the turn is over. */
const FULL_UNITS = 16_384;
/** Bytes of heads that do. */
const FULL_HEADS = 8_192;
const encoder = new TextEncoder();

/** Remarks and envelopes that leave together in one frame. */
export class Batch {
  readonly heads = new NumberWriter();
  private payloads = '';
  /** Number of the first envelope. */
  first = 0;
  envelopes = 0;
  /** Whether somebody may wait for what it says; not for a question how far was read, or for its answer. */
  matters = false;

  get isEmpty(): boolean {
    return this.heads.length === 0;
  }

  /** UTF-16 units of all payloads. */
  get units(): number {
    return this.payloads.length;
  }

  /** Whether it should leave before the turn is over. */
  get isWorthSending(): boolean {
    return this.units >= FULL_UNITS || this.heads.length >= FULL_HEADS;
  }

  /** Whether it stays within so many bytes with another payload of so many units, whatever its letters are. */
  hasRoomFor(units: number, maxBytes: number): boolean {
    const { heads, payloads } = this;
    return (
      FRAME_OVERHEAD + heads.length + LONGEST_HEAD + (payloads.length + units + 2) * WORST_BYTES <= maxBytes
    );
  }

  /** Bytes that heads may still take within so many. */
  roomForHeads(maxBytes: number): number {
    return maxBytes - FRAME_OVERHEAD - this.heads.length - (this.payloads.length + 2) * WORST_BYTES;
  }

  payload(json: string): void {
    this.payloads += this.payloads === '' ? `[${json}` : `,${json}`;
  }

  /** Bytes that its frame has at least. */
  get leastBytes(): number {
    return FRAME_OVERHEAD + this.heads.length + this.payloads.length + 1;
  }

  /** Bytes that its frame has at most, whatever its letters are. */
  get mostBytes(): number {
    return FRAME_OVERHEAD + this.heads.length + (this.payloads.length + 1) * WORST_BYTES;
  }

  /** Empties it into the frame of that number, which is part of `memory`; undefined: it does not fit, which it does where there are `mostBytes`. */
  writeTo(memory: Uint8Array, number: number): Uint8Array | undefined {
    if (this.leastBytes > memory.length) return undefined;
    const at = this.writeHeads(memory, number);
    const text = this.payloads === '' ? '' : `${this.payloads}]`;
    const { read, written } = encoder.encodeInto(text, memory.subarray(at));
    if (read < text.length) return undefined;
    this.clear();
    return memory.subarray(0, at + written);
  }

  /** Everything before the payloads; says where it ends. */
  private writeHeads(frame: Uint8Array, number: number): number {
    const { bytes, length } = this.heads;
    frame[0] = MAGIC;
    frame[1] = VERSION;
    const at = put(frame, put(frame, 2, number), length);
    frame.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
    return at + length;
  }

  clear(): void {
    this.heads.length = 0;
    this.payloads = '';
    this.envelopes = 0;
    this.matters = false;
  }
}

function put(frame: Uint8Array, at: number, value: number): number {
  let [place, rest] = [at, value];
  while (rest >= 0x80) {
    frame[place] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    place += 1;
  }
  frame[place] = rest;
  return place + 1;
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00 && at + 1 < text.length) {
      bytes += 4;
      at += 1;
    } else bytes += 3;
  }
  return bytes;
}
