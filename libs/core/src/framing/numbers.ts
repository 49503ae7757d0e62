import { MalformedFrame } from './malformed-frame.js';

const TOP = 0x80;
/** Bytes of the largest safe integer. */
export const LONGEST_NUMBER = 8;
/** Bytes of one UTF-16 unit in UTF-8, at most. */
export const WORST_BYTES = 3;
const encoder = new TextEncoder();

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

  /**
   * The bytes of a text in UTF-8, behind their number. The number is written when they are: to count them before takes as long as to write them. A
   * number may be written with more bytes than it needs.
   *
   * @throws RangeError where there are more than two bytes of a number can say
   */
  text(text: string): void {
    const most = text.length * WORST_BYTES;
    if (most >= TOP * TOP)
      throw new RangeError(`A text of ${text.length} characters is too long for a head.`);
    while (this.length + 2 + most > this.bytes.length) this.grow();
    const at = this.length + 2;
    const { written } = encoder.encodeInto(text, this.bytes.subarray(at));
    this.bytes[at - 2] = (written % TOP) | TOP;
    this.bytes[at - 1] = Math.floor(written / TOP);
    this.length = at + written;
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
