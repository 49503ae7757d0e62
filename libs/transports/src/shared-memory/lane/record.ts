import { crc32 } from './crc32.js';

/** Each record begins with its payload's length and check sum, and is filled up to a multiple of eight bytes. */
export const RECORD_HEADER_BYTES = 8;

/** So that memory full of zeros is no record. */
const CRC_MASK = 0x584f5243;

/** Computes a CRC-32 (IEEE), continuing `value`; for example zlib's. */
export type Crc32 = (bytes: Uint8Array, value: number) => number;

/** Bytes that a payload of `length` takes in the ring. */
export const recordBytes = (length: number): number => RECORD_HEADER_BYTES + ((length + 7) & ~7);

/** Check sum of a record: of its payload and its length. */
export const checkSum = (payload: Uint8Array, crc: Crc32 = crc32): number =>
  (crc(payload, payload.length) ^ CRC_MASK) | 0;
