import type {
  InboxRecord,
  InstanceRef,
  InstanceState,
  KeyClaim,
  KeyRecord,
  StoredInstance,
} from '../ports/index.js';
import { instanceName, keyName, type Room } from './names.js';

/** An instance as it lies in the store; `openDeliveries` is counted when it is read. */
export interface InstanceRow extends Omit<StoredInstance, 'openDeliveries'> {
  /** Order of creation, for instances of one instant. */
  readonly order: number;
}

/** Instances, the keys that lead to them, and what became of each one's messages. */
export class Instances {
  private readonly rows = new Map<string, InstanceRow>();
  private readonly keys = new Map<string, InstanceRow['id']>();
  /** Instances of each key that many may claim. */
  private readonly groups = new Map<string, Set<InstanceRow['id']>>();
  private readonly inboxes = new Map<string, Map<string, InboxRecord>>();
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

  /** Whether a key belongs to another instance. */
  holdsElsewhere(ref: InstanceRef, keys: readonly KeyClaim[]): boolean {
    return keys.some((key) => {
      if (key.many === true) return false;
      const holder = this.keys.get(keyName(ref, key));
      return holder !== undefined && holder !== ref.id;
    });
  }

  /** Writes the instance's next version. */
  write(ref: InstanceRef, next: InstanceState, now: number): number {
    const before = this.find(ref);
    const { tenant, saga, id } = ref;
    const { definitionVersion, state, status, data, machine, undo, ended } = next;
    const version = (before?.version ?? 0) + 1;
    this.rows.set(instanceName(ref), {
      tenant,
      saga,
      id,
      definitionVersion,
      state,
      status,
      data,
      machine,
      undo,
      ended,
      version,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
      endedAt: before?.endedAt ?? (ended ? now : null),
      order: before?.order ?? this.created++,
    });
    return version;
  }

  claimKeys(ref: InstanceRef, keys: readonly KeyClaim[]): void {
    for (const key of keys) {
      const name = keyName(ref, key);
      if (key.many === true) this.groups.set(name, (this.groups.get(name) ?? new Set<string>()).add(ref.id));
      else this.keys.set(name, ref.id);
    }
  }

  /** Whether the instance has claimed the key as one of many. */
  shares(ref: InstanceRef, key: KeyRecord): boolean {
    return this.groups.get(keyName(ref, key))?.has(ref.id) ?? false;
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
}
