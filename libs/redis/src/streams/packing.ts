/** A frame and the name that it is for; `''` between endpoints. */
export interface NamedFrame {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A frame as it came in. */
export interface ReadFrame {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Bytes before each frame: of its name's length two, of its own four. */
const HEAD = 6;

/** Frames as one entry of a stream holds them: per frame the lengths of name and frame, little-endian, then both. Part of the stored format, layout 2. */
export function pack(frames: readonly NamedFrame[], from = 0, to = frames.length): Buffer {
  let size = 0;
  for (let at = from; at < to; at += 1) size += packedSize(frames[at] as NamedFrame);
  const packed = Buffer.allocUnsafe(size);
  let end = 0;
  for (let at = from; at < to; at += 1) {
    const { name, bytes } = frames[at] as NamedFrame;
    const nameBytes = name === '' ? 0 : packed.write(name, end + HEAD);
    packed.writeUInt16LE(nameBytes, end);
    packed.writeUInt32LE(bytes.byteLength, end + 2);
    packed.set(bytes, end + HEAD + nameBytes);
    end += HEAD + nameBytes + bytes.byteLength;
  }
  return packed;
}

/** How many bytes of an entry a frame takes. */
export function packedSize({ name, bytes }: NamedFrame): number {
  return HEAD + Buffer.byteLength(name) + bytes.byteLength;
}

/**
 * The frames of an entry, in order; they share its memory.
 *
 * @throws RangeError where it ends within a frame
 */
export function unpack(packed: Buffer): readonly ReadFrame[] {
  const frames: ReadFrame[] = [];
  for (let at = 0; at < packed.length;) {
    const body = at + HEAD + packed.readUInt16LE(at);
    const end = body + packed.readUInt32LE(at + 2);
    if (end > packed.length)
      throw new RangeError(`A frame ends at ${end}, and its entry at ${packed.length}.`);
    frames.push({ name: packed.toString('utf8', at + HEAD, body), bytes: packed.subarray(body, end) });
    at = end;
  }
  return frames;
}
