import type { WorkRecord } from '@nestjs-orchestrator/core/ports';

/** A row of new work, and what the other new rows of its statement mean for it. */
export interface NewWork {
  /** Number of the entry that writes it. */
  readonly entry: number;
  readonly record: WorkRecord;
  /** To be written only if messages were found parked. */
  readonly wake: boolean;
  /** Among the rows of this statement nothing speaks against dispatching it at once. */
  readonly clear: boolean;
}

/** A row before it is compared with the others. */
export type Draft = Omit<NewWork, 'clear'>;

interface LaneHead {
  readonly entry: number;
  delayed: boolean;
}

/**
 * Tells for each row whether those before it leave its lane clear: rows of the same entry do, for the writer dispatches them in order, but not
 * if they are delayed; rows of other entries don't, for they may lose. A second row of one key is the same work, and never clear.
 */
export function withClearLanes(drafts: readonly Draft[]): readonly NewWork[] {
  const keys = new Set<string>();
  const lanes = new Map<string, LaneHead>();
  return drafts.map((draft) => {
    const { record } = draft;
    const key = `${record.tenant}\n${record.destination}\n${record.id}`;
    const repeated = keys.has(key);
    keys.add(key);
    return { ...draft, clear: !repeated && laneIsClear(lanes, draft) };
  });
}

function laneIsClear(lanes: Map<string, LaneHead>, { entry, record }: Draft): boolean {
  if (record.lane === null) return true;
  const name = `${record.tenant}\n${record.destination}\n${record.lane}`;
  const delayed = record.delayMs > 0;
  const head = lanes.get(name);
  if (head === undefined) {
    lanes.set(name, { entry, delayed });
    return true;
  }
  const clear = delayed || (head.entry === entry && !head.delayed);
  head.delayed ||= delayed;
  return clear;
}
