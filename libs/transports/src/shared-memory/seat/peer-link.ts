import type { Endpoint, PeerState } from '@nestjs-orchestrator/core/ports';
import { laneWords, type SharedLaneMemory } from '../lane/lane-memory.js';
import { type LaneFaults, LaneReader } from '../lane/lane-reader.js';
import { LaneWriter } from '../lane/lane-writer.js';
import type { Crc32 } from '../lane/record.js';
import type { SleepFlag } from '../lane/sleep-flag.js';
import type { EndpointRecord } from '../segment/endpoint-table.js';
import type { Segment } from '../segment/segment.js';
import { WaitingLine } from './waiting-line.js';

/** Oneself, as the other side sees it. */
export interface OwnPlace {
  readonly slot: number;
  readonly generation: number;
}

/** One endpoint as seen from another: the lane to it, the lane from it, and how it stands. */
export class PeerLink {
  readonly endpoint: Endpoint;
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
  readonly writer: LaneWriter;
  readonly flag: SleepFlag;
  readonly line = new WaitingLine();
  /** `lost`: nothing can be sent to it; what it has sent is still read. */
  state: PeerState = 'up';
  /** The receiver's promise for the last frame has not settled. */
  isHeld = false;
  /** Wakes it; undefined: it is not among those that are known. */
  ring: (() => void) | undefined = undefined;
  /** The registries say that it is gone. */
  isBuried = false;
  private readonly incoming: SharedLaneMemory;
  private reader: LaneReader | undefined = undefined;
  private beats: number;
  private missed = 0;

  constructor(
    private readonly segment: Segment,
    private readonly own: OwnPlace,
    { slot, generation, name, incarnation, pid }: EndpointRecord,
    private readonly faults: LaneFaults,
    private readonly crc: Crc32,
  ) {
    this.endpoint = { name, incarnation };
    this.slot = slot;
    this.generation = generation;
    this.pid = pid;
    this.flag = segment.endpoints.sleepFlag(slot);
    this.writer = new LaneWriter(segment.lane(own.slot, slot), crc);
    this.incoming = segment.lane(slot, own.slot);
    this.beats = segment.endpoints.beats(slot);
  }

  /** Whether it has opened its lane to us, and we have not read it to its end. */
  get isUnread(): boolean {
    return this.openReader() !== undefined && this.incoming.load(laneWords.retired) !== this.generation;
  }

  /** Whether there is something to do for it. */
  get wantsTurn(): boolean {
    return this.isReady || this.hasRoomForFirst || this.isOver;
  }

  /** Whether nothing more will come from it. */
  get isOver(): boolean {
    return this.isBuried && !this.isHeld && !this.isReady;
  }

  /** Whether there is a frame to read. */
  get isReady(): boolean {
    return !this.isHeld && (this.openReader()?.isReady ?? false);
  }

  /** Whether it waits for room in its lane to us. */
  get wantsRoom(): boolean {
    return this.reader?.isRoomWanted ?? false;
  }

  /** Whether the sender that waits first would be served. */
  get hasRoomForFirst(): boolean {
    const { first } = this.line;
    return first !== undefined && this.state === 'up' && this.writer.hasRoomFor(first.length);
  }

  read(): Uint8Array | undefined {
    return this.openReader()?.read();
  }

  /** It is gone, and all it has sent was read: its slot may be taken. */
  retire(): void {
    this.openReader()?.retire(this.generation);
  }

  /** A heartbeat's time is over: whether it has moved since. @returns signs of life that are missing in a row */
  countBeats(): number {
    const beats = this.segment.endpoints.beats(this.slot);
    this.missed = beats === this.beats ? this.missed + 1 : 0;
    this.beats = beats;
    return this.missed;
  }

  /** We stood still ourselves: what was missed then counts for nothing. */
  forgive(): void {
    this.missed = 0;
  }

  private openReader(): LaneReader | undefined {
    if (this.reader === undefined && LaneReader.isOpen(this.incoming, this.generation, this.own.generation)) {
      this.reader = new LaneReader(this.incoming, this.faults, this.crc);
    }
    return this.reader;
  }
}
