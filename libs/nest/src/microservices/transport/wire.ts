import { Buffer } from 'node:buffer';
import { FrameTooLargeError } from '@nestjs-orchestrator/core';
import { parseJson } from '@nestjs-orchestrator/core/internal';

/**
 * First byte of a frame between a client and a server. The number after it is the client's, of the request or event that the frame is about; 0 where it is
 * about none. A packet that is larger than a frame of the transport goes in pieces.
 */
export const wire = {
  /** server → client: here is a server. */
  serving: 1,
  /** client → server: a packet that is answered. */
  request: 2,
  /** client → server: a packet that is acknowledged. */
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
  /** A part of a frame; no number. */
  piece: 9,
  /** The rest of the pieces does not come: nobody wants the packet any more. */
  dropped: 10,
  /** server → client: a packet was not taken, and why. */
  refused: 11,
} as const;

export type WireKind = (typeof wire)[keyof typeof wire];

/** What a piece begins with. */
export const PIECE_HEAD = Uint8Array.of(wire.piece);
/** Bytes of a frame before its packet. */
export const HEAD_BYTES = 5;
/** UTF-16 units up to which counting the bytes of a text takes longer than room for the worst case costs. */
const SHORT_TEXT = 16_384;
/** Bytes of one unit in UTF-8, at most. */
const WORST_BYTES = 3;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a frame is about. */
export interface WireHead {
  readonly kind: number;
  readonly number: number;
}

/** Body of a `refused`: what is above which limit, or nothing where the packet did not come whole. */
export interface Refusal {
  readonly bytes?: number;
  readonly maxBytes?: number;
}

/** A frame as it was read. */
export interface WireFrame extends WireHead {
  readonly body: unknown;
}

/**
 * @param maxPacketBytes of the body, as JSON
 * @throws TypeError for what JSON can't carry; FrameTooLargeError
 */
export function encodeWire(
  kind: WireKind,
  body: unknown,
  number = 0,
  maxPacketBytes = Infinity,
): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(body) ?? 'null';
  const most = text.length <= SHORT_TEXT ? text.length * WORST_BYTES : Buffer.byteLength(text);
  const bytes = new Uint8Array(HEAD_BYTES + most);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, number, true);
  const { written } = encoder.encodeInto(text, bytes.subarray(HEAD_BYTES));
  if (written > maxPacketBytes) throw packetTooLarge(written, maxPacketBytes);
  return bytes.subarray(0, HEAD_BYTES + written);
}

export function packetTooLarge(bytes: number, maxPacketBytes: number): FrameTooLargeError {
  return new FrameTooLargeError(bytes, maxPacketBytes, 'maxPacketBytes');
}

/** `undefined` for what is no such frame. */
export function headOf(frame: Uint8Array): WireHead | undefined {
  const kind = frame[0];
  if (kind === undefined || frame.length < HEAD_BYTES) return undefined;
  return { kind, number: new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(1, true) };
}

/** `undefined` for what is no such frame. */
export function decodeWire(frame: Uint8Array): WireFrame | undefined {
  const head = headOf(frame);
  if (head === undefined) return undefined;
  try {
    return { ...head, body: parseJson(decoder.decode(frame.subarray(HEAD_BYTES))) };
  } catch {
    return undefined;
  }
}
