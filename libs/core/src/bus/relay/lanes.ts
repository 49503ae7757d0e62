import type { ClaimedWork, WorkKey } from '../../ports/records.js';

/** Names a row within one node. */
export function rowName(key: WorkKey): string {
  return `${key.tenant}\n${key.destination}\n${key.id}`;
}

/**
 * The rows that this node holds, each lane in order: the head of a lane may run, the rest waits behind it. Pure bookkeeping.
 */
export class Lanes {
  private readonly held = new Map<string, ClaimedWork>();
  private readonly lanes = new Map<string, ClaimedWork[]>();

  get size(): number {
    return this.held.size;
  }

  all(): readonly ClaimedWork[] {
    return [...this.held.values()];
  }

  /** Takes a row in; `true` if it may run now. A row that is held already is not taken again. */
  add(work: ClaimedWork): boolean {
    const row = rowName(work);
    if (this.held.has(row)) return false;
    this.held.set(row, work);
    if (work.lane === null) return true;
    const lane = laneName(work);
    const queue = this.lanes.get(lane);
    if (queue === undefined) {
      this.lanes.set(lane, [work]);
      return true;
    }
    queue.push(work);
    return false;
  }

  /** The row is done; the one behind it that may run now, if any. */
  finish(work: ClaimedWork): ClaimedWork | undefined {
    this.held.delete(rowName(work));
    if (work.lane === null) return undefined;
    const lane = laneName(work);
    const queue = this.lanes.get(lane) ?? [];
    queue.shift();
    if (queue.length === 0) this.lanes.delete(lane);
    return queue[0];
  }

  /** The row failed and is given back: nothing behind it may run here, so it is given back as well. */
  abandon(work: ClaimedWork): readonly ClaimedWork[] {
    this.held.delete(rowName(work));
    if (work.lane === null) return [];
    const behind = (this.lanes.get(laneName(work)) ?? []).slice(1);
    this.lanes.delete(laneName(work));
    for (const row of behind) this.held.delete(rowName(row));
    return behind;
  }
}

function laneName(work: ClaimedWork): string {
  return `${work.tenant}\n${work.destination}\n${work.lane ?? ''}`;
}
