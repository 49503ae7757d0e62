/** Slicing by eight: eight bytes a round, each looked up in a table of its own (Kounavis and Berry, 2005). The tables stand one behind the other. */
const TABLES = makeTables();

/** CRC-32 of IEEE 802.3, as in zlib; `value` continues an earlier one. */
export function crc32(bytes: Uint8Array, value = 0): number {
  const { length } = bytes;
  const whole = length & ~7;
  let crc = ~value;
  let at = 0;
  for (; at < whole; at += 8) {
    crc =
      look(1792 | ((crc ^ byte(bytes, at)) & 255)) ^
      look(1536 | (((crc >>> 8) ^ byte(bytes, at + 1)) & 255)) ^
      look(1280 | (((crc >>> 16) ^ byte(bytes, at + 2)) & 255)) ^
      look(1024 | ((crc >>> 24) ^ byte(bytes, at + 3))) ^
      look(768 | byte(bytes, at + 4)) ^
      look(512 | byte(bytes, at + 5)) ^
      look(256 | byte(bytes, at + 6)) ^
      look(byte(bytes, at + 7));
  }
  for (; at < length; at += 1) crc = look((crc ^ byte(bytes, at)) & 255) ^ (crc >>> 8);
  return ~crc;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function look(at: number): number {
  return TABLES[at] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    tables[n] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] as number;
    tables[at] = (tables[before & 255] as number) ^ (before >>> 8);
  }
  return tables;
}
