import type {
  InboxRecord,
  InstanceRef,
  InstanceState,
  KeyClaim,
  KeyRecord,
  LeaseRequest,
  LeaseResult,
  StoredInstance,
} from '../ports/index.js';
import { instanceName, keyName, type Room } from './names.js';

/** An instance as it lies in the store; `openDeliveries` is counted when it is read. */
export interface InstanceRow extends Omit<StoredInstance, 'openDeliveries'> {
  /** Order of creation, for instances of one instant. */
  readonly order: number;
  /** Id of the message that created it. */
  readonly createdBy: string | null;
}

interface Lease {
  readonly token: string;
  readonly until: number;
}

/** Instances, the keys that lead to them, and what became of each one's messages. */
export class Instances {
  private readonly rows = new Map<string, InstanceRow>();
  private readonly keys = new Map<string, InstanceRow['id']>();
  /** Instances of each key that many may claim. */
  private readonly groups = new Map<string, Set<InstanceRow['id']>>();
  private readonly keysOfRow = new Map<string, Map<string, KeyRecord>>();
  private readonly inboxes = new Map<string, Map<string, InboxRecord>>();
  private readonly leases = new Map<string, Lease>();
  private created = 0;

  find(ref: InstanceRef): InstanceRow | undefined {
    return this.rows.get(instanceName(ref));
  }

  findByKey(room: Room, key: KeyRecord): InstanceRow | undefined {
    const id = this.keys.get(keyName(room, key));
    return id === undefined ? undefined : this.find({ tenant: room.tenant, saga: room.saga, id });
  }

  all(): Iterable<InstanceRow> {
    return this.rows.values();
  }

  version(ref: InstanceRef): number {
    return this.find(ref)?.version ?? 0;
  }

  /** Whether a key belongs to another instance, but for an ended one that is superseded. */
  holdsElsewhere(ref: InstanceRef, keys: readonly KeyClaim[], supersedes: string | null): boolean {
    return keys.some((key) => {
      if (key.many === true) return false;
      const holder = this.keys.get(keyName(ref, key));
      if (holder === undefined || holder === ref.id) return false;
      return holder !== supersedes || this.find({ ...ref, id: holder })?.ended !== true;
    });
  }

  /** Whether a commit with this lease, or with none, may write now. */
  admits(ref: InstanceRef, token: string | null, now: number): boolean {
    const lease = this.leases.get(instanceName(ref));
    const alive = lease !== undefined && lease.until > now;
    return token === null ? !alive : alive && lease.token === token;
  }

  lease({ ref, token, leaseMs }: LeaseRequest, now: number): LeaseResult {
    const name = instanceName(ref);
    if (!this.rows.has(name)) return { outcome: 'absent' };
    const lease = this.leases.get(name);
    if (lease !== undefined && lease.until > now && lease.token !== token) {
      return { outcome: 'busy', retryMs: lease.until - now };
    }
    this.leases.set(name, { token, until: now + leaseMs });
    return { outcome: 'leased' };
  }

  unlease(ref: InstanceRef, token: string): void {
    const name = instanceName(ref);
    if (this.leases.get(name)?.token === token) this.leases.delete(name);
  }

  /** Writes the instance's next version. */
  write(ref: InstanceRef, next: InstanceState, message: string | null, now: number): number {
    const name = instanceName(ref);
    const row = nextRow(ref, next, this.rows.get(name), message, now, this.created);
    if (row.version === 1) this.created += 1;
    this.rows.set(name, row);
    this.leases.delete(name);
    return row.version;
  }

  /** Whoever has read it before must read it again. */
  outdate(ref: InstanceRef): void {
    const row = this.find(ref);
    if (row) this.rows.set(instanceName(ref), { ...row, version: row.version + 1 });
  }

  claimKeys(ref: InstanceRef, keys: readonly KeyClaim[]): void {
    const mine = this.keysOfRow.get(instanceName(ref)) ?? new Map<string, KeyRecord>();
    for (const key of keys) {
      const name = keyName(ref, key);
      if (key.many === true) {
        this.groups.set(name, (this.groups.get(name) ?? new Set<string>()).add(ref.id));
        continue;
      }
      const holder = this.keys.get(name);
      if (holder !== undefined) this.keysOfRow.get(instanceName({ ...ref, id: holder }))?.delete(name);
      this.keys.set(name, ref.id);
      mine.set(name, { name: key.name, value: key.value });
    }
    this.keysOfRow.set(instanceName(ref), mine);
  }

  /** Whether the instance has claimed the key as one of many. */
  shares(ref: InstanceRef, key: KeyRecord): boolean {
    return this.groups.get(keyName(ref, key))?.has(ref.id) ?? false;
  }

  keysOf(ref: InstanceRef): readonly KeyRecord[] {
    return [...(this.keysOfRow.get(instanceName(ref))?.values() ?? [])];
  }

  /** Takes an instance out, with its keys, inbox and lease. */
  remove(ref: InstanceRef): void {
    const name = instanceName(ref);
    for (const key of this.keysOfRow.get(name)?.keys() ?? []) this.keys.delete(key);
    for (const group of this.groups.values()) group.delete(ref.id);
    for (const map of [this.rows, this.keysOfRow, this.inboxes, this.leases]) map.delete(name);
  }

  seen(ref: InstanceRef, messageId: string): InboxRecord | undefined {
    const row = this.inboxes.get(instanceName(ref))?.get(messageId);
    return row && { ...row };
  }

  remember(ref: InstanceRef, record: InboxRecord): void {
    const name = instanceName(ref);
    const inbox = this.inboxes.get(name) ?? new Map<string, InboxRecord>();
    this.inboxes.set(name, inbox);
    const { messageId, outcome, reply } = record;
    inbox.set(messageId, { messageId, outcome, reply });
  }

  /** Forgets at most `limit` inbox rows of instances that ended before; how many. */
  purge(endedBefore: number, limit: number): number {
    let purged = 0;
    for (const [name, inbox] of this.inboxes) {
      const endedAt = this.rows.get(name)?.endedAt ?? null;
      if (endedAt === null || endedAt > endedBefore) continue;
      for (const id of [...inbox.keys()].slice(0, limit - purged)) {
        inbox.delete(id);
        purged += 1;
      }
      if (inbox.size === 0) this.inboxes.delete(name);
    }
    return purged;
  }
}

function nextRow(
  ref: InstanceRef,
  next: InstanceState,
  before: InstanceRow | undefined,
  message: string | null,
  now: number,
  order: number,
): InstanceRow {
  const { tenant, saga, id } = ref;
  const { definitionVersion, state, status, data, machine, undo, hold, ended } = next;
  return {
    ...(before ?? { createdAt: now, order, createdBy: message }),
    tenant,
    saga,
    id,
    definitionVersion,
    state,
    status,
    data,
    machine,
    undo,
    hold,
    ended,
    version: (before?.version ?? 0) + 1,
    updatedAt: now,
    // An operator may take up again what had ended.
    endedAt: ended ? (before?.endedAt ?? now) : null,
  };
}
