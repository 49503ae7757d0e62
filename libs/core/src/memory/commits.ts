import type {
  Commit,
  CommitResult,
  InboxRecord,
  KeyClaim,
  KeyRecord,
  LoadRequest,
  LoadResult,
  StoredInstance,
} from '../ports/index.js';
import type { InstanceRow } from './instances.js';
import type { MemoryData } from './memory-data.js';
import { instanceName, keyName } from './names.js';
import type { BirthLease } from './outbox.js';

const CONFLICT: CommitResult = { outcome: 'conflict' };

/** An instance as callers get it: a copy. */
export function stored(data: MemoryData, row: InstanceRow): StoredInstance {
  const { order: _order, createdBy: _createdBy, ...instance } = row;
  return { ...instance, openDeliveries: data.deliveries.count(row) };
}

/** Answers one request of `load`. */
export function loadOne(data: MemoryData, request: LoadRequest): LoadResult {
  const { by, tenant, saga } = request;
  const row =
    'key' in by
      ? data.instances.findByKey(request, by.key)
      : data.instances.find({ tenant, saga, id: by.id });
  const tombstone = 'key' in by && row?.ended !== false ? data.tombstones.find(request, by.key) : null;
  return { instance: row ? stored(data, row) : null, seen: seenAs(data, request, row), tombstone };
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
  lease: BirthLease,
  now: number,
): CommitResult | Error {
  try {
    const commit = whole(given);
    return mayCommit(data, commit, null, now) ? write(data, commit, lease, now) : CONFLICT;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A copy of the entry's lists; throws where one is missing. */
export function whole(commit: Commit): Commit {
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

/** Keys that lead to one instance. */
export function unique(keys: readonly KeyClaim[]): readonly KeyRecord[] {
  return keys.filter(({ many }) => many !== true);
}

/** Names of all that a commit decides about. */
export function decidedBy({ ref, keys, supersedes }: Commit): readonly string[] {
  const former = supersedes === null ? [] : [instanceName({ ...ref, id: supersedes })];
  return [instanceName(ref), ...former, ...unique(keys).map((key) => keyName(ref, key))];
}

/** Whether a commit would win; `writer` is the open transaction that it is of. */
export function mayCommit(data: MemoryData, commit: Commit, writer: object | null, now: number): boolean {
  const { instances, locks } = data;
  const { ref, keys, expectedVersion, supersedes } = commit;
  return (
    locks.areFree(decidedBy(commit), writer) &&
    instances.version(ref) === expectedVersion &&
    (expectedVersion === 0 || instances.admits(ref, commit.lease, now)) &&
    !instances.holdsElsewhere(ref, keys, supersedes) &&
    (expectedVersion > 0 || !data.tombstones.bar(ref, unique(keys), commit.ifUnseen === true)) &&
    isUntold(data, commit)
  );
}

/** Whether nothing of what a commit says that it has handled was handled before. */
function isUntold({ instances, transactions }: MemoryData, commit: Commit): boolean {
  const { ref, consumed = [], ifUnseen = false } = commit;
  return (
    !consumed.some(({ message }) => transactions.isDecided(message)) &&
    !(ifUnseen && told(commit).some(({ messageId }) => instances.seen(ref, messageId)))
  );
}

/** The inbox rows of a commit, in order. */
export function told({ inbox, inboxBefore = [] }: Commit): readonly InboxRecord[] {
  return inbox === null ? inboxBefore : [...inboxBefore, inbox];
}

/** Writes everything of a commit that has won: nothing stops it half-way. */
export function write(data: MemoryData, commit: Commit, lease: BirthLease, now: number): CommitResult {
  const { ref, keys, next, supersedes } = commit;
  const version = data.instances.write(ref, next, commit.inbox?.messageId ?? null, now);
  const former = supersedes === null ? undefined : data.instances.find({ ...ref, id: supersedes });
  if (former) {
    data.tombstones.add(former, unique(keys), former.createdBy, now);
    data.instances.outdate(former);
  }
  data.instances.claimKeys(ref, keys);
  for (const record of told(commit)) data.instances.remember(ref, record);
  for (const { message, outcome } of commit.consumed ?? []) data.transactions.note(message, outcome, now);
  data.histories.append(ref, commit.history, version, now);
  writeTimers(data, commit, now);
  const parked = writeDeliveries(data, commit, now);
  return { outcome: 'committed', version, ...writeWork(data, commit, parked, lease, now) };
}

function writeTimers(data: MemoryData, { ref, timers }: Commit, now: number): void {
  for (const name of timers.disarm) data.timers.disarm(ref, name);
  for (const timer of timers.arm) data.timers.arm(timer, now);
}

/** Whether messages were found parked on the keys. */
function writeDeliveries(data: MemoryData, { ref, keys, deliveries }: Commit, now: number): boolean {
  const parked = data.deliveries.adopt(ref, unique(keys));
  data.deliveries.remove(ref, deliveries.done);
  for (const delivery of deliveries.add) data.deliveries.defer(ref, delivery, now);
  return parked;
}

function writeWork(data: MemoryData, commit: Commit, parked: boolean, lease: BirthLease, now: number) {
  // Consumed rows go first: one of them may be what stands before the new rows in their lane.
  data.removeWork(commit.done);
  const wake = parked ? commit.wakeIfParked : null;
  const work = wake ? [...commit.work, wake] : commit.work;
  const { leased } = data.writeWork(work, now, lease);
  return { leased, woken: wake !== null };
}
