import { MAGIC, VERSION } from './format.js';
import { LONGEST_NUMBER, NumberWriter } from './numbers.js';

/** Bytes of a frame beside heads and payloads. */
export const FRAME_OVERHEAD = 2 + 2 * LONGEST_NUMBER;
/** Bytes that a head takes at most. */
export const LONGEST_HEAD = 1 + 3 * LONGEST_NUMBER;
/** Bytes of one UTF-16 unit in UTF-8, at most. */
export const WORST_BYTES = 3;
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

  /** Empties it into a frame: part of `scratch`, or of a larger one. */
  writeTo(scratch: Uint8Array): Uint8Array {
    const { heads } = this;
    const text = this.payloads === '' ? '' : `${this.payloads}]`;
    const around = FRAME_OVERHEAD + heads.length;
    const fits = around + text.length * WORST_BYTES <= scratch.length;
    const frame = fits ? scratch : new Uint8Array(around + utf8Bytes(text));
    let at = 2;
    frame[0] = MAGIC;
    frame[1] = VERSION;
    at = put(frame, at, this.first);
    at = put(frame, at, heads.length);
    frame.set(heads.length === heads.bytes.length ? heads.bytes : heads.bytes.subarray(0, heads.length), at);
    at += heads.length;
    if (text !== '') at += encoder.encodeInto(text, frame.subarray(at)).written;
    this.clear();
    return frame.subarray(0, at);
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
