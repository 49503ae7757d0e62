const byte = (bytes: Uint8Array, at: number): number => bytes[at] as number;
const look = (table: Int32Array, at: number): number => table[at] as number;

/** Slicing by eight: eight bytes a round, each looked up in a table of its own (Kounavis and Berry, 2005). */
const TABLES = makeTables();

/** CRC-32 of IEEE 802.3, as in zlib; `value` continues an earlier one. */
export function crc32(bytes: Uint8Array, value = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const whole = bytes.length & ~7;
  let crc = ~value;
  let at = 0;
  for (; at < whole; at += 8) {
    crc =
      look(t7, (crc ^ byte(bytes, at)) & 255) ^
      look(t6, ((crc >>> 8) ^ byte(bytes, at + 1)) & 255) ^
      look(t5, ((crc >>> 16) ^ byte(bytes, at + 2)) & 255) ^
      look(t4, (crc >>> 24) ^ byte(bytes, at + 3)) ^
      look(t3, byte(bytes, at + 4)) ^
      look(t2, byte(bytes, at + 5)) ^
      look(t1, byte(bytes, at + 6)) ^
      look(t0, byte(bytes, at + 7));
  }
  for (; at < bytes.length; at += 1) crc = look(t0, (crc ^ byte(bytes, at)) & 255) ^ (crc >>> 8);
  return ~crc;
}

type Tables = [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

function makeTables(): Tables {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256)) as Tables;
  const [first] = tables;
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
    first[n] = crc;
  }
  for (let n = 0; n < 256; n += 1) {
    let crc = look(first, n);
    for (const table of tables.slice(1)) {
      crc = look(first, crc & 255) ^ (crc >>> 8);
      table[n] = crc;
    }
  }
  return tables;
}
