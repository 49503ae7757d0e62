import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * A UUID (RFC 9562, version 8) that depends on `parts` and nothing else: the first 122 bits of SHA-256 over the parts, each preceded by its
 * length, so that no two lists of parts are confused. Makes ids of effects stable across re-runs without growing along a chain.
 */
export function hashedId(...parts: readonly string[]): string {
  const bytes = sha256(utf8ToBytes(parts.map((part) => `${part.length}:${part}`).join('')));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  let hex = '';
  for (let i = 0; i < 16; i++) {
    hex += HEX[bytes[i] as number] as string;
    if (i === 3 || i === 5 || i === 7 || i === 9) hex += '-';
  }
  return hex;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
