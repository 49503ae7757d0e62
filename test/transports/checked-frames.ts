const HEAD_BYTES = 8;

/** A frame that carries its number and a check sum; its length follows from the number. */
export function checked(number: number): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + ((number * 37) % 200));
  frame.writeUInt32LE(number);
  frame.fill((number * 31) & 0xff, HEAD_BYTES);
  frame.writeUInt32LE(sumOf(frame), 4);
  return frame;
}

/** What is wrong with what came in as that number; `undefined` when nothing is. */
export function faultIn(frame: Uint8Array, number: number): string | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.readUInt32LE() !== number) return `frame ${bytes.readUInt32LE()} came as number ${number}`;
  return bytes.readUInt32LE(4) === sumOf(bytes) ? undefined : `frame ${number} has another check sum`;
}

/** FNV-1a over number and body. */
function sumOf(frame: Buffer): number {
  let sum = 0x81_1c_9d_c5;
  for (let at = 0; at < frame.length; at += 1) {
    if (at >= 4 && at < HEAD_BYTES) continue;
    sum = Math.imul(sum ^ (frame[at] as number), 0x01_00_01_93);
  }
  return sum >>> 0;
}
