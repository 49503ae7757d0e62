import { LANE_CONTROL_BYTES } from '../lane/lane-memory.js';

/** What a cluster's processes must agree on. */
export interface SegmentShape {
  readonly maxEndpoints: number;
  readonly maxNames: number;
  readonly laneBytes: number;
}

export const HEADER_BYTES = 4_096;
export const ENDPOINT_ROW_BYTES = 512;
export const NAME_ROW_BYTES = 1_280;
const PAGE_BYTES = 4_096;

/** Where things lie in a segment: header, endpoints, names, control words of the lanes, and from the next page on their rings. */
export interface SegmentLayout extends SegmentShape {
  readonly endpointsAt: number;
  readonly namesAt: number;
  readonly controlAt: number;
  readonly ringsAt: number;
  readonly totalBytes: number;
}

export function layoutOf({ maxEndpoints, maxNames, laneBytes }: SegmentShape): SegmentLayout {
  const endpointsAt = HEADER_BYTES;
  const namesAt = endpointsAt + maxEndpoints * ENDPOINT_ROW_BYTES;
  const controlAt = namesAt + maxNames * NAME_ROW_BYTES;
  const controlEnd = controlAt + maxEndpoints ** 2 * LANE_CONTROL_BYTES;
  const ringsAt = Math.ceil(controlEnd / PAGE_BYTES) * PAGE_BYTES;
  const totalBytes = ringsAt + maxEndpoints ** 2 * laneBytes;
  return { maxEndpoints, maxNames, laneBytes, endpointsAt, namesAt, controlAt, ringsAt, totalBytes };
}

/** Number of the lane from one slot to another: the lanes of an inbox lie side by side. */
const laneIndex = ({ maxEndpoints }: SegmentShape, sender: number, receiver: number): number =>
  receiver * maxEndpoints + sender;

export const controlOffset = (layout: SegmentLayout, sender: number, receiver: number): number =>
  layout.controlAt + laneIndex(layout, sender, receiver) * LANE_CONTROL_BYTES;

export const ringOffset = (layout: SegmentLayout, sender: number, receiver: number): number =>
  layout.ringsAt + laneIndex(layout, sender, receiver) * layout.laneBytes;
