import { parseJson } from '@nestjs-orchestrator/core/internal';

/** First byte of a frame between a client and a server; the number after it is 0 but for events and their acknowledgements. */
export const wire = {
  /** server → client: here is a server. */
  serving: 1,
  /** client → server: a packet that is answered. */
  request: 2,
  /** client → server: a packet that is acknowledged, under the number in the head. */
  event: 3,
  /** client → server: nobody waits for answers to a request any more. */
  cancel: 4,
  /** server → client: a packet with an answer, the last one, or an error. */
  response: 5,
  /** server → client: numbers of events, each with what went wrong. */
  acknowledge: 6,
  /** server → client: send me nothing more. */
  closing: 7,
  /** Answer to `closing`: nothing more comes. */
  understood: 8,
} as const;

export type WireKind = (typeof wire)[keyof typeof wire];

const HEAD_BYTES = 5;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame as it was read. */
export interface WireFrame {
  readonly kind: number;
  readonly number: number;
  readonly body: unknown;
}

/** @throws TypeError for what JSON can't carry */
export function encodeWire(kind: WireKind, body: unknown, number = 0): Uint8Array {
  const text = JSON.stringify(body) ?? 'null';
  // Room for the worst case, three bytes for each UTF-16 unit: one allocation, no second copy.
  const bytes = new Uint8Array(HEAD_BYTES + text.length * 3);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, number, true);
  const { written } = encoder.encodeInto(text, bytes.subarray(HEAD_BYTES));
  return bytes.subarray(0, HEAD_BYTES + written);
}

/** `undefined` for what is no such frame. */
export function decodeWire(frame: Uint8Array): WireFrame | undefined {
  const kind = frame[0];
  if (kind === undefined || frame.length < HEAD_BYTES) return undefined;
  const number = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(1, true);
  try {
    return { kind, number, body: parseJson(decoder.decode(frame.subarray(HEAD_BYTES))) };
  } catch {
    return undefined;
  }
}
