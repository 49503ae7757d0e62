import { HEAD_BYTES, kindIn, lengthIn, wordAt } from './records.js';

/** Gets what was read; `false` says that the rest of the stream can't be understood. */
export type OnRecord = (kind: number, number: number, body: Uint8Array) => boolean;

/** Cuts a stream of bytes into records. Bodies are views of what came in: theirs to keep who gets them. */
export class RecordReader {
  /** Bytes that a body may have: small until it is known who sends. */
  limit: number;
  private readonly head = new Uint8Array(HEAD_BYTES);
  private headFilled = 0;
  private body: Uint8Array | undefined;
  private bodyFilled = 0;

  constructor(
    limit: number,
    private readonly onRecord: OnRecord,
  ) {
    this.limit = limit;
  }

  /** Whether a record has begun that has not ended. */
  get isInside(): boolean {
    return this.headFilled > 0;
  }

  /** `false`: the stream makes no sense from here on. */
  read(chunk: Uint8Array): boolean {
    let at = this.isInside ? this.finish(chunk) : 0;
    while (at >= 0 && chunk.length - at >= HEAD_BYTES) {
      const word = wordAt(chunk, at);
      const length = lengthIn(word);
      if (length > this.limit) return false;
      const from = at + HEAD_BYTES;
      if (chunk.length - from < length) break;
      const number = wordAt(chunk, at + 4);
      at = from + length;
      if (!this.onRecord(kindIn(word), number, chunk.subarray(from, at))) return false;
    }
    if (at < 0) return false;
    return at === chunk.length || this.begin(chunk, at);
  }

  /** Goes on with the record that the chunk before has begun. Where it ends; the chunk's length where it does not; -1 for nonsense. */
  private finish(chunk: Uint8Array): number {
    let at = 0;
    if (this.headFilled < HEAD_BYTES) {
      at = Math.min(HEAD_BYTES - this.headFilled, chunk.length);
      this.head.set(chunk.subarray(0, at), this.headFilled);
      this.headFilled += at;
      if (this.headFilled < HEAD_BYTES) return at;
      if (!this.openBody()) return -1;
    }
    const body = this.body as Uint8Array;
    const taken = Math.min(body.length - this.bodyFilled, chunk.length - at);
    body.set(chunk.subarray(at, at + taken), this.bodyFilled);
    this.bodyFilled += taken;
    if (this.bodyFilled < body.length) return chunk.length;
    const kind = kindIn(wordAt(this.head, 0));
    this.headFilled = 0;
    this.body = undefined;
    return this.onRecord(kind, wordAt(this.head, 4), body) ? at + taken : -1;
  }

  /** Keeps the rest of a chunk, which is less than a record. */
  private begin(chunk: Uint8Array, at: number): boolean {
    const heads = Math.min(HEAD_BYTES, chunk.length - at);
    this.head.set(chunk.subarray(at, at + heads), 0);
    this.headFilled = heads;
    if (heads < HEAD_BYTES) return true;
    if (!this.openBody()) return false;
    this.bodyFilled = chunk.length - at - heads;
    (this.body as Uint8Array).set(chunk.subarray(at + heads));
    return true;
  }

  private openBody(): boolean {
    const length = lengthIn(wordAt(this.head, 0));
    if (length > this.limit) return false;
    this.body = Buffer.allocUnsafeSlow(length);
    this.bodyFilled = 0;
    return true;
  }
}
