import { MalformedFrame } from './malformed-frame.js';

const TOP = 0x80;
/** Bytes of the largest safe integer. */
export const LONGEST_NUMBER = 8;

/** Bytes that grow as they are written. */
export class NumberWriter {
  bytes = new Uint8Array(256);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow();
    this.bytes[this.length] = value;
    this.length += 1;
  }

  number(value: number): void {
    let rest = value;
    while (rest >= TOP) {
      this.byte((rest % TOP) | TOP);
      rest = Math.floor(rest / TOP);
    }
    this.byte(rest);
  }

  /** So many bytes, for the caller to fill. */
  room(bytes: number): Uint8Array {
    while (this.length + bytes > this.bytes.length) this.grow();
    const at = this.length;
    this.length += bytes;
    return this.bytes.subarray(at, this.length);
  }

  private grow(): void {
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Reads what {@link NumberWriter} wrote, and trusts nothing. */
export class NumberReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    public end: number,
  ) {}

  byte(): number {
    if (this.at >= this.end) throw new MalformedFrame('it ends too early');
    const value = this.bytes[this.at] as number;
    this.at += 1;
    return value;
  }

  number(): number {
    const first = this.byte();
    if (first < TOP) return first;
    let value = first - TOP;
    for (let place = 1, factor = TOP; place < LONGEST_NUMBER; place += 1, factor *= TOP) {
      const next = this.byte();
      value += (next < TOP ? next : next - TOP) * factor;
      if (next < TOP) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new MalformedFrame('a number is too large');
  }
}
