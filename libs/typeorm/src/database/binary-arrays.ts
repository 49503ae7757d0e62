/** Element types of array parameters. */
export type ElementType = 'text' | 'int' | 'float8' | 'bool';

const OIDS: Readonly<Record<ElementType, number>> = { text: 25, int: 23, float8: 701, bool: 16 };

/** Where a value of `bytes` bytes or fewer goes; the buffer grows, what is written stays. */
class Sheet {
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private end = 0;

  get length(): number {
    return this.end;
  }

  clear(): void {
    this.end = 0;
    // A sheet that one large statement made is not kept for ever.
    if (this.buffer.length > LARGEST_KEPT) this.buffer = Buffer.allocUnsafe(LARGEST_KEPT);
  }

  copy(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.end));
  }

  int32(value: number): void {
    this.reserve(4);
    this.end = this.buffer.writeInt32BE(value, this.end);
  }

  double(value: number): void {
    this.reserve(8);
    this.end = this.buffer.writeDoubleBE(value, this.end);
  }

  byte(value: number): void {
    this.reserve(1);
    this.end = this.buffer.writeUInt8(value, this.end);
  }

  /** The length in bytes, and the text. */
  text(value: string): void {
    // No character of UTF-16 takes more than three bytes of UTF-8.
    this.reserve(4 + value.length * 3);
    if (this.shortAscii(value)) return;
    const bytes = this.buffer.write(value, this.end + 4, 'utf8');
    this.buffer.writeInt32BE(bytes, this.end);
    this.end += 4 + bytes;
  }

  /** Most texts are ids and names: for those the way into the engine and back takes longer than the copy. `false`: nothing is written. */
  private shortAscii(value: string): boolean {
    const { length } = value;
    if (length > LONGEST_SHORT) return false;
    const { buffer, end } = this;
    for (let at = 0; at < length; at += 1) {
      const code = value.charCodeAt(at);
      if (code > LAST_ASCII) return false;
      buffer[end + 4 + at] = code;
    }
    buffer[end] = buffer[end + 1] = buffer[end + 2] = 0;
    buffer[end + 3] = length;
    this.end = end + 4 + length;
    return true;
  }

  private reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }
}

const LAST_ASCII = 127;

/** Characters of a short text; its length takes one byte. */
const LONGEST_SHORT = 64;

const LARGEST_KEPT = 1024 * 1024;
const sheet = new Sheet();

/**
 * Replaces array values by their binary form, which neither side has to quote, escape and parse again: that was a good part of the time of a
 * statement of many rows. `types` has an entry for each parameter that is an array.
 */
export function withBinaryArrays(
  types: readonly (ElementType | undefined)[],
  values: readonly unknown[],
): unknown[] {
  sheet.clear();
  const ends = values.map((value, index) => {
    const type = types[index];
    if (type !== undefined && Array.isArray(value)) writeArray(type, value);
    return sheet.length;
  });
  const whole = sheet.copy();
  return values.map((value, index) =>
    types[index] !== undefined && Array.isArray(value)
      ? whole.subarray(index === 0 ? 0 : ends[index - 1], ends[index])
      : value,
  );
}

function writeArray(type: ElementType, values: readonly unknown[]): void {
  sheet.int32(values.length === 0 ? 0 : 1);
  sheet.int32(values.some((value) => value === null || value === undefined) ? 1 : 0);
  sheet.int32(OIDS[type]);
  if (values.length === 0) return;
  sheet.int32(values.length);
  // Subscripts begin with 1.
  sheet.int32(1);
  for (const value of values) {
    if (value === null || value === undefined) sheet.int32(-1);
    else writeElement(type, value);
  }
}

function writeElement(type: ElementType, value: unknown): void {
  switch (type) {
    case 'text':
      return sheet.text(typeof value === 'string' ? value : String(value));
    case 'int':
      sheet.int32(4);
      return sheet.int32(Number(value));
    case 'float8':
      sheet.int32(8);
      return sheet.double(Number(value));
    case 'bool':
      sheet.int32(1);
      return sheet.byte(value === true ? 1 : 0);
    default:
      return type satisfies never;
  }
}
