import { MAGIC, VERSION } from './format.js';
import { LONGEST_NUMBER, NumberWriter, WORST_BYTES } from './numbers.js';

/** Bytes of a frame beside heads and payloads. */
export const FRAME_OVERHEAD = 2 + 2 * LONGEST_NUMBER;
/** Bytes that a head takes at most. */
export const LONGEST_HEAD = 1 + 3 * LONGEST_NUMBER;
const encoder = new TextEncoder();

/** Remarks and envelopes that leave together in one frame. */
export class Batch {
  readonly heads = new NumberWriter();
  private payloads = '';
  /** Number of the first envelope. */
  first = 0;
  envelopes = 0;

  get isEmpty(): boolean {
    return this.heads.length === 0;
  }

  /** UTF-16 units of all payloads. */
  get units(): number {
    return this.payloads.length;
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

  /** Empties it into a frame: part of `scratch`, or memory of its own. */
  writeTo(scratch: Uint8Array): Uint8Array {
    const text = this.payloads === '' ? '' : `${this.payloads}]`;
    const frame = this.writtenTo(scratch, text) ?? this.written(text);
    this.clear();
    return frame;
  }

  /** undefined: it does not fit, which where it nearly does only the writing tells. */
  private writtenTo(scratch: Uint8Array, text: string): Uint8Array | undefined {
    if (FRAME_OVERHEAD + this.heads.length + text.length > scratch.length) return undefined;
    const at = this.writeHeads(scratch);
    if (text === '') return scratch.subarray(0, at);
    const { read, written } = encoder.encodeInto(text, scratch.subarray(at));
    return read === text.length ? scratch.subarray(0, at + written) : undefined;
  }

  private written(text: string): Uint8Array {
    const bytes = encoder.encode(text);
    const frame = new Uint8Array(FRAME_OVERHEAD + this.heads.length + bytes.length);
    const at = this.writeHeads(frame);
    frame.set(bytes, at);
    return frame.subarray(0, at + bytes.length);
  }

  /** Everything before the payloads; says where it ends. */
  private writeHeads(frame: Uint8Array): number {
    const { bytes, length } = this.heads;
    frame[0] = MAGIC;
    frame[1] = VERSION;
    const at = put(frame, put(frame, 2, this.first), length);
    frame.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
    return at + length;
  }

  clear(): void {
    this.heads.length = 0;
    this.payloads = '';
    this.envelopes = 0;
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
