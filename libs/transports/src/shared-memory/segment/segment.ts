import { LaneReader } from '../lane/lane-reader.js';
import { laneWords, SharedLaneMemory } from '../lane/lane-memory.js';
import { type EndpointRecord, EndpointTable } from './endpoint-table.js';
import { SegmentHeader } from './header.js';
import { controlOffset, layoutOf, ringOffset, type SegmentLayout, type SegmentShape } from './layout.js';
import { NameTable } from './name-table.js';

/** A cluster's memory, cut into its parts. */
export class Segment {
  readonly layout: SegmentLayout;
  readonly header: SegmentHeader;
  readonly endpoints: EndpointTable;
  readonly names: NameTable;

  constructor(
    private readonly buffer: ArrayBufferLike,
    shape: SegmentShape,
  ) {
    this.layout = layoutOf(shape);
    this.header = new SegmentHeader(buffer);
    this.endpoints = new EndpointTable(buffer, this.layout);
    this.names = new NameTable(buffer, this.layout);
  }

  lane(sender: number, receiver: number): SharedLaneMemory {
    const { layout } = this;
    const control = controlOffset(layout, sender, receiver);
    return new SharedLaneMemory(this.buffer, control, ringOffset(layout, sender, receiver), layout.laneBytes);
  }

  live(): EndpointRecord[] {
    return this.endpoints.records().filter(({ state }) => state === 'live');
  }

  /** Under the lock: an endpoint left or died. Its names are free. @returns whether this call was the first to say so */
  bury(slot: number, generation: number): boolean {
    // The slot last: whoever is killed before has left it to the next one, who frees the rest of the names.
    this.names.remove((name) => name.slot === slot && name.generation === generation);
    this.header.namesChanged();
    if (!this.endpoints.markGone(slot, generation)) return false;
    this.header.membersChanged();
    return true;
  }

  /**
   * Under the lock: a slot that can be taken. One whose last holder is gone can once each live endpoint has read what that one had sent to it:
   * only then nobody looks at its lanes and its row any more.
   */
  freeSlot(): number | undefined {
    const live = this.live();
    const slots = Array.from({ length: this.endpoints.slots }, (_, slot) => slot);
    return slots.find((slot) => {
      const { state, generation } = this.endpoints.life(slot);
      if (state === 'live') return false;
      return generation === 0 || live.every((receiver) => !this.isRead(slot, generation, receiver));
    });
  }

  private isRead(sender: number, generation: number, receiver: EndpointRecord): boolean {
    const lane = this.lane(sender, receiver.slot);
    return (
      LaneReader.isOpen(lane, generation, receiver.generation) && lane.load(laneWords.retired) !== generation
    );
  }
}
