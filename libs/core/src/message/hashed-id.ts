import { sha256 } from '@noble/hashes/sha2.js';

/**
 * A UUID (RFC 9562, version 8) that depends on `parts` and nothing else: the first 122 bits of SHA-256 over the parts, each preceded by its
 * length, so that no two lists of parts are confused. Makes ids of effects stable across re-runs without growing along a chain.
 */
export function hashedId(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  // No character of UTF-16 takes more than three bytes of UTF-8.
  if (text.length * 3 > input.length) input = new Uint8Array(text.length * 3);
  const { written } = encoder.encodeInto(text, input);
  fresh._cloneInto(hash).update(input.subarray(0, written)).digestInto(bytes);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  let hex = '';
  for (let i = 0; i < 16; i++) {
    hex += HEX[bytes[i] as number] as string;
    if (i === 3 || i === 5 || i === 7 || i === 9) hex += '-';
  }
  return hex;
}

/** Room that all calls share: ids are made for every effect, and none of them waits for anything. */
const [fresh, hash] = [sha256.create(), sha256.create()];
const [encoder, bytes] = [new TextEncoder(), new Uint8Array(hash.outputLen)];
let input = new Uint8Array(1_024);

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
