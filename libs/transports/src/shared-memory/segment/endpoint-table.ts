import { SleepFlag } from '../lane/sleep-flag.js';
import { AtomicWords } from './atomic-words.js';
import { ENDPOINT_ROW_BYTES, type SegmentLayout } from './layout.js';
import { textAt, utf8 } from './text.js';

/** `gone`: it left or died; its slot is free once nobody reads what it has sent any more. */
export type SlotState = 'free' | 'live' | 'gone';

/** Generation of a slot and how it stands: one word, so that one compare-and-swap takes a dead slot. */
export interface SlotLife {
  readonly state: SlotState;
  /** Counted up with each endpoint that takes the slot; 0: none did. */
  readonly generation: number;
}

/** Who has a slot. */
export interface EndpointRecord extends SlotLife {
  readonly slot: number;
  readonly name: string;
  readonly incarnation: string;
  readonly pid: number;
}

const STATES: readonly SlotState[] = ['free', 'live', 'gone'];
const LIFE = 0;
const PID = 1;
const NAME_BYTES = 2;
const INCARNATION_BYTES = 3;
const BEATS = 16;
const SLEEP = 32;
const NAME_AT = 192;
const INCARNATION_AT = 448;

/** Bytes (UTF-8) that names of endpoints and of clusters may have. */
export const MAX_NAME_BYTES = 255;

/** The process registry. Rows are written by who holds the cluster's lock, and read by everybody at any time. */
export class EndpointTable {
  private readonly rows: AtomicWords[];

  constructor(
    private readonly buffer: ArrayBufferLike,
    private readonly layout: SegmentLayout,
  ) {
    this.rows = Array.from(
      { length: layout.maxEndpoints },
      (_, slot) => new AtomicWords(buffer, this.offset(slot), ENDPOINT_ROW_BYTES),
    );
  }

  get slots(): number {
    return this.rows.length;
  }

  life(slot: number): SlotLife {
    return decode(this.row(slot).load(LIFE));
  }

  /** Whether this generation of the slot is live. */
  isLive(slot: number, generation: number): boolean {
    return this.row(slot).load(LIFE) === encode('live', generation);
  }

  /** Who has a slot, or had it last; nothing while it changes hands. */
  read(slot: number): EndpointRecord | undefined {
    const row = this.row(slot);
    const life = row.load(LIFE);
    const at = this.offset(slot);
    const name = textAt(this.buffer, at + NAME_AT, row.load(NAME_BYTES) & 0xff);
    const incarnation = textAt(this.buffer, at + INCARNATION_AT, row.load(INCARNATION_BYTES) & 0x3f);
    const pid = row.load(PID);
    return row.load(LIFE) === life ? { slot, ...decode(life), name, incarnation, pid } : undefined;
  }

  /** Every slot that somebody has or had, and that isn't free yet. */
  records(): EndpointRecord[] {
    const records = this.rows.map((_, slot) => this.read(slot));
    return records.filter((record) => record !== undefined && record.state !== 'free') as EndpointRecord[];
  }

  /** Under the lock: writes a row that nobody reads yet. @returns its generation */
  write(slot: number, name: string, incarnation: string, pid: number): number {
    const row = this.row(slot);
    const generation = this.life(slot).generation + 1;
    row.store(LIFE, encode('free', generation));
    this.writeText(slot, NAME_AT, NAME_BYTES, name);
    this.writeText(slot, INCARNATION_AT, INCARNATION_BYTES, incarnation);
    row.store(PID, pid);
    row.store(BEATS, 0);
    row.store(SLEEP, 0);
    return generation;
  }

  /** Makes a written row seen. */
  publish(slot: number, generation: number): void {
    this.row(slot).store(LIFE, encode('live', generation));
  }

  /** Whether this call took the slot from its generation. */
  markGone(slot: number, generation: number): boolean {
    return this.row(slot).exchange(LIFE, encode('live', generation), encode('gone', generation));
  }

  beats(slot: number): number {
    return this.row(slot).load(BEATS);
  }

  beat(slot: number): void {
    this.row(slot).increment(BEATS);
  }

  sleepFlag(slot: number): SleepFlag {
    return new SleepFlag(this.row(slot), SLEEP);
  }

  isAsleep(slot: number): boolean {
    return (this.row(slot).load(SLEEP) & 1) === 1;
  }

  private writeText(slot: number, at: number, lengthWord: number, text: string): void {
    const bytes = utf8(text);
    new Uint8Array(this.buffer, this.offset(slot) + at, bytes.length).set(bytes);
    this.row(slot).store(lengthWord, bytes.length);
  }

  private row(slot: number): AtomicWords {
    const row = this.rows[slot];
    if (row === undefined) throw new RangeError(`There is no slot ${slot}.`);
    return row;
  }

  private offset(slot: number): number {
    return this.layout.endpointsAt + slot * ENDPOINT_ROW_BYTES;
  }
}

const encode = (state: SlotState, generation: number): number => (generation << 2) | STATES.indexOf(state);
const decode = (life: number): SlotLife => ({ state: STATES[life & 3] ?? 'free', generation: life >>> 2 });
