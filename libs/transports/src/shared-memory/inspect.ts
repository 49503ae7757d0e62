import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { defaultFolder } from '../private-folder.js';
import { laneWords } from './lane/lane-memory.js';
import type { EndpointRecord } from './segment/endpoint-table.js';
import type { Segment } from './segment/segment.js';
import { clusterFolder, segmentName } from './system/cluster-names.js';
import { loadPosix, type Posix } from './system/posix.js';
import { SegmentFile } from './system/segment-file.js';

/** A process of a cluster. */
export interface SegmentProcess {
  readonly slot: number;
  readonly name: string;
  readonly pid: number;
  readonly incarnation: string;
  /** `dead`: its lock is free, and no other process has noticed yet. `left`: others have yet to read what it sent. */
  readonly state: 'alive' | 'dead' | 'left';
  /** Whether it waits for its doorbell. */
  readonly isAsleep: boolean;
  /** Signs of life so far: stands still where the process does. */
  readonly beats: number;
}

/** What `inspectSegment` tells of a cluster in shared memory. */
export interface SegmentReport {
  readonly cluster: string;
  /** Name of the shared object. */
  readonly segment: string;
  /** Bytes of address space; memory is taken for the lanes that are in use. */
  readonly bytes: number;
  readonly maxEndpoints: number;
  readonly maxNames: number;
  readonly laneBytes: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly processes: readonly SegmentProcess[];
  readonly names: readonly { readonly name: string; readonly holder: string; readonly about: string }[];
  /** Lanes in which something lies or for whose room somebody waits. */
  readonly lanes: readonly {
    readonly from: string;
    readonly to: string;
    /** Bytes that were not taken out yet. */
    readonly bytes: number;
    readonly isRoomWanted: boolean;
  }[];
}

/** Options of `inspectSegment`. */
export interface InspectOptions {
  /** As `directory` of `sharedMemory`. */
  readonly directory?: string;
}

/**
 * Looks into the live memory of a cluster of this user; nothing is changed, and nobody is held up. `undefined` where there is none.
 *
 * @throws TransportUnavailableError
 */
export async function inspectSegment(
  cluster: string,
  { directory = defaultFolder() }: InspectOptions = {},
): Promise<SegmentReport | undefined> {
  const posix = await loadPosix();
  const segment = SegmentFile.look(posix, cluster);
  if (segment === undefined) return undefined;
  const { header, layout, endpoints } = segment;
  const records = endpoints.records();
  const folder = clusterFolder(directory, cluster);
  const nameOf = (slot: number): string => endpoints.read(slot)?.name ?? `slot ${slot}`;
  return {
    cluster: header.cluster,
    segment: segmentName(cluster),
    bytes: layout.totalBytes,
    ...header.shape,
    createdAt: header.createdAt,
    processes: records.map((record) => processOf(posix, folder, segment, record)),
    names: segment.names.records().map(({ name, about, slot }) => ({ name, holder: nameOf(slot), about })),
    lanes: lanesBetween(segment, records),
  };
}

function processOf(
  posix: Posix,
  folder: string,
  { endpoints }: Segment,
  record: EndpointRecord,
): SegmentProcess {
  const { slot, generation, name, pid, incarnation } = record;
  const isAlive = record.state === 'live' && isLocked(posix, join(folder, `${slot}-${generation}.alive`));
  const state = record.state === 'gone' ? 'left' : isAlive ? 'alive' : 'dead';
  return {
    slot,
    name,
    pid,
    incarnation,
    state,
    isAsleep: endpoints.isAsleep(slot),
    beats: endpoints.beats(slot),
  };
}

function isLocked(posix: Posix, path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return false;
  }
  // Closing it gives a lock back that was granted.
  const isFree = posix.tryLock(fd, 'shared');
  closeSync(fd);
  return !isFree;
}

function lanesBetween(segment: Segment, records: readonly EndpointRecord[]): SegmentReport['lanes'] {
  const pairs = records.flatMap((from) => records.map((to) => ({ from, to })));
  return pairs.flatMap(({ from, to }) => {
    const lane = segment.lane(from.slot, to.slot);
    const isOpen =
      lane.load(laneWords.openedBy) === from.generation && lane.load(laneWords.openedFor) === to.generation;
    const bytes = (lane.load(laneWords.tail) - lane.load(laneWords.head)) >>> 0;
    const isRoomWanted = lane.load(laneWords.wantsRoom) === 1;
    if (!isOpen || (bytes === 0 && !isRoomWanted)) return [];
    return [{ from: from.name, to: to.name, bytes, isRoomWanted }];
  });
}
