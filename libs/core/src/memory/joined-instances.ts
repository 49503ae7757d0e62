import type {
  AtInstant,
  Commit,
  CommitResult,
  DeliveryRecord,
  InstanceRef,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  StoredInstance,
} from '../ports/index.js';
import { decidedBy, loadOne, mayCommit, told, unique, whole, write } from './commits.js';
import { instanceName, keyName } from './names.js';
import { parkOne } from './parking.js';
import type { TransactionTarget } from './transactions.js';

/** Takes down what a transaction does when it commits. */
export type Later = (write: (target: TransactionTarget) => void) => void;

const CONFLICT: CommitResult = { outcome: 'conflict' };

/**
 * Instances as one open transaction sees them: what it committed itself is there for it, and for nobody else before its end. What it has decided
 * about is locked until then.
 */
export class JoinedInstances {
  private readonly rows = new Map<string, StoredInstance>();
  private readonly keys = new Map<string, string>();
  private readonly inbox = new Map<string, NonNullable<LoadResult['seen']>>();
  private readonly waiting = new Map<string, readonly DeliveryRecord[]>();

  constructor(
    private readonly target: TransactionTarget,
    private readonly writer: object,
  ) {}

  load(request: LoadRequest): LoadResult {
    const stored = loadOne(this.target.data, request);
    const { tenant, saga, by, messageId } = request;
    const id = 'id' in by ? by.id : (this.keys.get(keyName(request, by.key)) ?? stored.instance?.id);
    if (id === undefined) return stored;
    const name = instanceName({ tenant, saga, id });
    const instance = this.rows.get(name);
    if (instance === undefined) return stored;
    const seen = this.inbox.get(`${name}\n${messageId}`) ?? stored.seen;
    return { instance, seen, tombstone: instance.ended ? stored.tombstone : null };
  }

  commit(given: Commit, at: AtInstant, later: Later): CommitResult {
    const { data } = this.target;
    const commit = whole(given);
    const { ref } = commit;
    const name = instanceName(ref);
    const own = this.rows.get(name);
    if (own !== undefined && own.version !== commit.expectedVersion) return CONFLICT;
    const first = own === undefined ? commit : { ...commit, expectedVersion: data.instances.version(ref) };
    const now = this.target.now(at);
    if (!mayCommit(data, first, this.writer, now)) return CONFLICT;
    data.locks.take(decidedBy(commit), this.writer);
    this.remember(name, commit, now);
    later((target) => {
      write(target.data, commit, null, target.now(at));
      // Also without work: others may wait for the instance.
      target.data.hints.tell();
    });
    return { outcome: 'committed', version: commit.expectedVersion + 1, leased: false, woken: false };
  }

  park(request: ParkRequest, at: AtInstant, later: Later): ParkResult {
    const name = keyName(request, request.key);
    if (this.keys.has(name) || !this.target.data.locks.areFree([name], this.writer)) return 'present';
    if (this.target.data.instances.findByKey(request, request.key) !== undefined) return 'present';
    later((target) => void parkOne(target.data, request, target.now(at)));
    return 'parked';
  }

  deliveries(ref: InstanceRef): readonly DeliveryRecord[] {
    return this.waiting.get(instanceName(ref)) ?? this.target.data.deliveries.list(ref);
  }

  private remember(name: string, commit: Commit, now: number): void {
    const { ref, next, keys, deliveries, expectedVersion } = commit;
    const found = this.rows.get(name) ?? this.load({ ...ref, by: { id: ref.id }, messageId: '' }).instance;
    const before = found ?? { openDeliveries: 0, createdAt: now, endedAt: null };
    this.rows.set(name, {
      ...ref,
      ...next,
      version: expectedVersion + 1,
      openDeliveries: before.openDeliveries + deliveries.add.length - deliveries.done.length,
      createdAt: before.createdAt,
      updatedAt: now,
      endedAt: next.ended ? (before.endedAt ?? now) : null,
    });
    const waited = this.deliveries(ref).filter(({ messageId }) => !deliveries.done.includes(messageId));
    this.waiting.set(name, [...waited, ...deliveries.add]);
    for (const key of unique(keys)) this.keys.set(keyName(ref, key), ref.id);
    for (const record of told(commit)) this.inbox.set(`${name}\n${record.messageId}`, { ...record });
  }
}
