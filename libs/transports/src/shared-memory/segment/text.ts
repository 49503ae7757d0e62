const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** A text in memory that others may change meanwhile. */
export const textAt = (buffer: ArrayBufferLike, offset: number, bytes: number): string =>
  // A copy first: decoders refuse memory that is shared.
  decoder.decode(new Uint8Array(buffer, offset, bytes).slice());

/** FNV-1a, 32 bits: tells rows apart before their text is compared. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
