import type {
  Commit,
  CommitResult,
  InboxRecord,
  LoadRequest,
  LoadResult,
  StoredInstance,
  WriteOptions,
} from '../ports/index.js';
import type { InstanceRow } from './instances.js';
import type { MemoryData } from './memory-data.js';

const CONFLICT: CommitResult = { outcome: 'conflict' };

/** An instance as callers get it: a copy. */
export function stored(data: MemoryData, row: InstanceRow): StoredInstance {
  const { order: _order, ...instance } = row;
  return { ...instance, openDeliveries: data.deliveries.count(row) };
}

/** Answers one request of `load`. */
export function loadOne(data: MemoryData, request: LoadRequest): LoadResult {
  const { by, tenant, saga } = request;
  const row =
    'key' in by
      ? data.instances.findByKey(request, by.key)
      : data.instances.find({ tenant, saga, id: by.id });
  return { instance: row ? stored(data, row) : null, seen: seenAs(data, request, row) };
}

function seenAs(data: MemoryData, request: LoadRequest, row: InstanceRow | undefined): InboxRecord | null {
  const { by, messageId } = request;
  const answered = row && data.instances.seen(row, messageId);
  if (answered) return answered;
  const waits = row
    ? data.deliveries.waitsFor(row, messageId)
    : 'key' in by && data.deliveries.waitsOn(request, by.key, messageId);
  return waits ? { messageId, outcome: 'deferred', reply: null } : null;
}

/** Commits or loses one entry; an entry without one of its lists is refused before anything is written. */
export function commitOne(
  data: MemoryData,
  given: Commit,
  options: WriteOptions,
  now: number,
): CommitResult | Error {
  try {
    return compareAndSwap(data, whole(given), options, now);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A copy of the entry's lists; throws where one is missing. */
function whole(commit: Commit): Commit {
  const { timers, deliveries } = commit;
  return {
    ...commit,
    keys: [...commit.keys],
    work: [...commit.work],
    history: [...commit.history],
    done: [...commit.done],
    timers: { arm: [...timers.arm], disarm: [...timers.disarm] },
    deliveries: { add: [...deliveries.add], done: [...deliveries.done] },
  };
}

/** Checks everything, then writes everything: nothing stops it half-way. */
function compareAndSwap(data: MemoryData, commit: Commit, options: WriteOptions, now: number): CommitResult {
  const { ref, keys, next } = commit;
  if (data.instances.version(ref) !== commit.expectedVersion) return CONFLICT;
  if (commit.ifUnseen === true && commit.inbox && data.instances.seen(ref, commit.inbox.messageId))
    return CONFLICT;
  if (data.instances.holdsElsewhere(ref, keys)) return CONFLICT;
  const version = data.instances.write(ref, next, now);
  data.instances.claimKeys(ref, keys);
  if (commit.inbox) data.instances.remember(ref, commit.inbox);
  data.histories.append(ref, commit.history, version, now);
  writeTimers(data, commit, now);
  const parked = writeDeliveries(data, commit, now);
  return { outcome: 'committed', version, ...writeWork(data, commit, parked, options, now) };
}

function writeTimers(data: MemoryData, { ref, timers }: Commit, now: number): void {
  for (const name of timers.disarm) data.timers.disarm(ref, name);
  for (const timer of timers.arm) data.timers.arm(timer, now);
}

/** Whether messages were found parked on the keys. */
function writeDeliveries(data: MemoryData, { ref, keys, deliveries }: Commit, now: number): boolean {
  const unique = keys.filter(({ many }) => many !== true);
  const parked = data.deliveries.adopt(ref, unique);
  data.deliveries.remove(ref, deliveries.done);
  for (const delivery of deliveries.add) data.deliveries.defer(ref, delivery, now);
  return parked;
}

function writeWork(data: MemoryData, commit: Commit, parked: boolean, options: WriteOptions, now: number) {
  // Consumed rows go first: one of them may be what stands before the new rows in their lane.
  data.removeWork(commit.done);
  const wake = parked ? commit.wakeIfParked : null;
  const work = wake ? [...commit.work, wake] : commit.work;
  const { leased } = data.writeWork(work, now, options);
  return { leased, woken: wake !== null };
}
