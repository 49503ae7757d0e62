import { AtomicWords } from './atomic-words.js';
import { NAME_ROW_BYTES, type SegmentLayout } from './layout.js';
import { hashOf, textAt, utf8 } from './text.js';

/** A name, and the generation of the slot that holds it. */
export interface NameRecord {
  readonly name: string;
  readonly about: string;
  readonly slot: number;
  readonly generation: number;
}

/** Odd while the row is taken; another number each time. */
const SEQUENCE = 0;
const SLOT = 1;
const GENERATION = 2;
const NAME_BYTES = 3;
const ABOUT_BYTES = 4;
const HASH = 5;
const NAME_AT = 32;
const ABOUT_AT = 544;

/** Bytes (UTF-8) of a name in the directory: that of a machine is its group's, '/' and an id of up to 255. */
export const MAX_LISTED_NAME_BYTES = ABOUT_AT - NAME_AT - 1;

/** Bytes (UTF-8) of what can be said about a name. */
export const MAX_ABOUT_BYTES = NAME_ROW_BYTES - ABOUT_AT;

/**
 * The directory of names. Rows are written by who holds the cluster's lock, and only while they are free; they are read by everybody at any time:
 * a row whose sequence is odd and the same before and after was not written in between.
 */
export class NameTable {
  private readonly rows: AtomicWords[];

  constructor(
    private readonly buffer: ArrayBufferLike,
    private readonly layout: SegmentLayout,
  ) {
    this.rows = Array.from(
      { length: layout.maxNames },
      (_, index) => new AtomicWords(buffer, this.offset(index), NAME_ROW_BYTES),
    );
  }

  find(name: string): NameRecord | undefined {
    const hash = hashOf(utf8(name));
    for (const [index, row] of this.rows.entries()) {
      if ((row.load(SEQUENCE) & 1) === 0 || row.load(HASH) !== hash) continue;
      const record = this.read(index);
      if (record?.name === name) return record;
    }
    return undefined;
  }

  records(): NameRecord[] {
    return this.rows.map((_, index) => this.read(index)).filter((record) => record !== undefined);
  }

  /** Under the lock: writes a name that is not there. @returns whether there was a place */
  add({ name, about, slot, generation }: NameRecord): boolean {
    const index = this.rows.findIndex((row) => (row.load(SEQUENCE) & 1) === 0);
    const row = this.rows[index];
    if (row === undefined) return false;
    const bytes = utf8(name);
    this.writeText(index, NAME_AT, bytes);
    row.store(NAME_BYTES, bytes.length);
    row.store(HASH, hashOf(bytes));
    const aboutBytes = utf8(about);
    this.writeText(index, ABOUT_AT, aboutBytes);
    row.store(ABOUT_BYTES, aboutBytes.length);
    row.store(SLOT, slot);
    row.store(GENERATION, generation);
    row.increment(SEQUENCE);
    return true;
  }

  /** Under the lock: frees the names that `isMeant` picks. @returns how many there were */
  remove(isMeant: (record: NameRecord) => boolean): number {
    let removed = 0;
    for (const [index, row] of this.rows.entries()) {
      const record = this.read(index);
      if (record === undefined || !isMeant(record)) continue;
      row.increment(SEQUENCE);
      removed += 1;
    }
    return removed;
  }

  private read(index: number): NameRecord | undefined {
    const row = this.rows[index] as AtomicWords;
    for (;;) {
      const sequence = row.load(SEQUENCE);
      if ((sequence & 1) === 0) return undefined;
      const at = this.offset(index);
      const name = textAt(
        this.buffer,
        at + NAME_AT,
        Math.min(row.load(NAME_BYTES) >>> 0, MAX_LISTED_NAME_BYTES),
      );
      const about = textAt(
        this.buffer,
        at + ABOUT_AT,
        Math.min(row.load(ABOUT_BYTES) >>> 0, MAX_ABOUT_BYTES),
      );
      const record = { name, about, slot: row.load(SLOT), generation: row.load(GENERATION) };
      if (row.load(SEQUENCE) === sequence) return record;
    }
  }

  private writeText(index: number, at: number, bytes: Uint8Array): void {
    new Uint8Array(this.buffer, this.offset(index) + at, bytes.length).set(bytes);
  }

  private offset(index: number): number {
    return this.layout.namesAt + index * NAME_ROW_BYTES;
  }
}
