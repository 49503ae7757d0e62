/** Bytes of the smallest piece. */
const SMALLEST = 65_536;
/** A larger piece is not kept. */
const LARGEST_KEPT = 1_048_576;
/** Pieces that are kept; more are out only where the frames of as many links wait for room. */
const MOST_KEPT = 4;

/**
 * Memory in which frames are written before they are handed over. It is used again: what is new and large has to be cleared, and mapped by the system,
 * which takes many times as long as to write into it.
 */
export class FrameMemory {
  private readonly free: Uint8Array[] = [];

  /** A piece of at least so many bytes, with anything in it. It belongs to the caller, who gives it back when the frame has been taken. */
  take(bytes: number): Uint8Array {
    const { free } = this;
    for (let at = free.length - 1; at >= 0; at -= 1) {
      const piece = free[at] as Uint8Array;
      if (piece.length < bytes) continue;
      // The last one takes its place.
      free[at] = free.at(-1) as Uint8Array;
      free.pop();
      return piece;
    }
    let size = SMALLEST;
    while (size < bytes) size *= 2;
    return new Uint8Array(size);
  }

  giveBack(piece: Uint8Array): void {
    const { free } = this;
    if (piece.length > LARGEST_KEPT) return;
    if (free.length < MOST_KEPT) {
      free.push(piece);
      return;
    }
    // The larger ones are kept: a small frame fits into them as well.
    const smallest = free.reduce((least, { length }, at) => (length < sizeAt(free, least) ? at : least), 0);
    if (sizeAt(free, smallest) < piece.length) free[smallest] = piece;
  }
}

const sizeAt = (pieces: readonly Uint8Array[], at: number): number => (pieces[at] as Uint8Array).length;
