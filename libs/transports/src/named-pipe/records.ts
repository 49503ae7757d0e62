/**
 * What goes over a socket: records of an 8-byte head (kind in the top 4 bits and length in the other 28, then the low 32 bits of the frame's number, both
 * little-endian) and their bytes. Frames go from the side that connected to the one that listens, the rest as `kinds` says.
 */
export const kinds = {
  /** → first record: who connects, as JSON. */
  hello: 1,
  /** → a frame; numbers go up by one, also over a break. */
  frame: 2,
  /** → asks for an acknowledgement now. */
  ask: 3,
  /** → the last record: the sender leaves. */
  bye: 4,
  /** ← answer to `hello`: the number of the last frame that came in of this incarnation. */
  welcome: 5,
  /** ← every frame up to this number came in; also the sign of life. */
  acknowledge: 6,
  /** ← answer to `hello`: this incarnation is taken for lost, or means another one. */
  refuse: 7,
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

export const HEAD_BYTES = 8;
const LENGTH_BITS = 28;
const LENGTH_MASK = 0x0f_ff_ff_ff;

/** Writes the head of a record. */
export function writeHead(into: Uint8Array, at: number, kind: Kind, length: number, number: number): void {
  const word = kind * 2 ** LENGTH_BITS + length;
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
  into[at + 4] = number;
  into[at + 5] = number >>> 8;
  into[at + 6] = number >>> 16;
  into[at + 7] = number >>> 24;
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export const lengthIn = (word: number): number => word & LENGTH_MASK;
export const kindIn = (word: number): number => word >>> LENGTH_BITS;

/** A record of its own, for what is rare. */
export function record(kind: Kind, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + body.length);
  writeHead(bytes, 0, kind, body.length, 0);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** The body of a record that says how far frames came. */
export function countBody(count: number): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setFloat64(0, count, true);
  return body;
}

/** `undefined` for what is no count. */
export function countIn(body: Uint8Array): number | undefined {
  if (body.length !== 8) return undefined;
  const count = new DataView(body.buffer, body.byteOffset, 8).getFloat64(0, true);
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
