import type {
  Commit,
  DeliveryRecord,
  InstanceRef,
  LoadRequest,
  LoadResult,
  ParkRequest,
  StoredInstance,
} from '@nestjs-orchestrator/core/ports';

type Seen = NonNullable<LoadResult['seen']>;

function named(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** Instances as one open transaction sees them: what it committed itself is there for it, and for nobody else before its end. */
export class OwnView {
  private readonly rows = new Map<string, StoredInstance>();
  private readonly keys = new Map<string, string>();
  private readonly inbox = new Map<string, Seen>();
  /** What its commits have added to the messages that wait for an instance, and which of them they have handled. */
  private readonly added = new Map<string, readonly DeliveryRecord[]>();
  private readonly done = new Map<string, ReadonlySet<string>>();

  /** The instance as this transaction has written it. */
  find({ tenant, saga, id }: { tenant: string; saga: string; id: string }): StoredInstance | undefined {
    return this.rows.get(named(tenant, saga, id));
  }

  /** Whether this transaction has claimed the key. */
  holds({ tenant, saga, key }: Pick<ParkRequest, 'tenant' | 'saga' | 'key'>): boolean {
    return this.keys.has(named(tenant, saga, key.name, key.value));
  }

  /** An answer of the store with what this transaction knows better. */
  seenBy(request: LoadRequest, stored: LoadResult): LoadResult {
    const { tenant, saga, by, messageId } = request;
    const id = 'id' in by ? by.id : this.keys.get(named(tenant, saga, by.key.name, by.key.value));
    const instance = this.find({ tenant, saga, id: id ?? stored.instance?.id ?? '' });
    if (instance === undefined) return stored;
    const seen = this.inbox.get(named(tenant, saga, instance.id, messageId)) ?? stored.seen;
    return { instance, seen, tombstone: instance.ended ? stored.tombstone : null };
  }

  /** What waits for an instance by the store, with what this transaction knows better. */
  waiting({ tenant, saga, id }: InstanceRef, stored: readonly DeliveryRecord[]): readonly DeliveryRecord[] {
    const name = named(tenant, saga, id);
    const done = this.done.get(name);
    const all = [...stored, ...(this.added.get(name) ?? [])];
    return done === undefined ? all : all.filter(({ messageId }) => !done.has(messageId));
  }

  /** Takes a commit of this transaction down; `before` is the instance as it was, if it was. */
  remember(commit: Commit, before: StoredInstance | null, now: number): void {
    const { ref, keys, inbox, inboxBefore = [] } = commit;
    const { tenant, saga, id } = ref;
    this.rows.set(
      named(tenant, saga, id),
      written(commit, before ?? { openDeliveries: 0, createdAt: now, endedAt: null }, now),
    );
    const own = named(tenant, saga, id);
    this.added.set(own, [...(this.added.get(own) ?? []), ...commit.deliveries.add]);
    this.done.set(own, new Set([...(this.done.get(own) ?? []), ...commit.deliveries.done]));
    for (const { name, value, many } of keys) {
      if (many !== true) this.keys.set(named(tenant, saga, name, value), id);
    }
    for (const record of inbox === null ? inboxBefore : [...inboxBefore, inbox])
      this.inbox.set(named(tenant, saga, id, record.messageId), { ...record });
  }
}

function written(
  { ref, next, deliveries, expectedVersion }: Commit,
  before: Pick<StoredInstance, 'openDeliveries' | 'createdAt' | 'endedAt'>,
  now: number,
): StoredInstance {
  return {
    ...ref,
    ...next,
    version: expectedVersion + 1,
    openDeliveries: before.openDeliveries + deliveries.add.length - deliveries.done.length,
    createdAt: before.createdAt,
    updatedAt: now,
    endedAt: next.ended ? (before.endedAt ?? now) : null,
  };
}
