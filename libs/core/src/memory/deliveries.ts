import type { DeliveryRecord, InstanceRef, KeyRecord } from '../ports/index.js';
import type { DeadLetters } from './dead-letters.js';
import { instanceName, keyName, type Room } from './names.js';

interface DeliveryRow extends DeliveryRecord, Room {
  /** Order of arrival, also between mailboxes that become one. */
  readonly order: number;
  readonly expiresAt: number;
}

type Mailbox = Map<string, DeliveryRow>;

/**
 * Messages that wait. Each lies in a mailbox: that of its instance, or that of a key without an instance. Mailboxes of keys
 * are poured into the instance's when it claims them.
 */
export class Deliveries {
  private readonly mailboxes = new Map<string, Mailbox>();
  private arrivals = 0;

  constructor(private readonly letters: DeadLetters) {}

  park(room: Room, key: KeyRecord, delivery: DeliveryRecord, now: number): void {
    this.put(keyName(room, key), room, delivery, now);
  }

  defer(ref: InstanceRef, delivery: DeliveryRecord, now: number): void {
    this.put(instanceName(ref), ref, delivery, now);
  }

  /** Hands the messages parked on `keys` to the instance; whether there were any. */
  adopt(ref: InstanceRef, keys: readonly KeyRecord[]): boolean {
    const names = keys.map((key) => keyName(ref, key));
    const parked = names.flatMap((name) => [...(this.mailboxes.get(name)?.values() ?? [])]);
    if (parked.length === 0) return false;
    names.forEach((name) => this.mailboxes.delete(name));
    const mailbox = this.mailbox(instanceName(ref));
    const all = [...mailbox.values(), ...parked].sort((a, b) => a.order - b.order);
    mailbox.clear();
    for (const row of all) if (!mailbox.has(row.messageId)) mailbox.set(row.messageId, row);
    return true;
  }

  remove(ref: InstanceRef, messageIds: readonly string[]): void {
    const name = instanceName(ref);
    const mailbox = this.mailboxes.get(name);
    for (const id of messageIds) mailbox?.delete(id);
    if (mailbox?.size === 0) this.mailboxes.delete(name);
  }

  /** What waits for the instance, oldest first. */
  list(ref: InstanceRef): readonly DeliveryRecord[] {
    const rows = this.mailboxes.get(instanceName(ref))?.values() ?? [];
    return [...rows].map(({ messageId, payload, ttlMs }) => ({ messageId, payload, ttlMs }));
  }

  count(ref: InstanceRef): number {
    return this.mailboxes.get(instanceName(ref))?.size ?? 0;
  }

  waitsFor(ref: InstanceRef, messageId: string): boolean {
    return this.mailboxes.get(instanceName(ref))?.has(messageId) ?? false;
  }

  waitsOn(room: Room, key: KeyRecord, messageId: string): boolean {
    return this.mailboxes.get(keyName(room, key))?.has(messageId) ?? false;
  }

  expire(now: number): number {
    let expired = 0;
    for (const [name, mailbox] of this.mailboxes) {
      for (const row of [...mailbox.values()].filter(({ expiresAt }) => expiresAt <= now)) {
        mailbox.delete(row.messageId);
        this.giveUp(row, `nobody answered it within ${row.ttlMs} ms`, now);
        expired += 1;
      }
      if (mailbox.size === 0) this.mailboxes.delete(name);
    }
    return expired;
  }

  /** The instance goes: what waits for it is given up. */
  giveUpAll(ref: InstanceRef, now: number): void {
    const name = instanceName(ref);
    for (const row of this.mailboxes.get(name)?.values() ?? []) {
      this.giveUp(row, 'its instance was removed', now);
    }
    this.mailboxes.delete(name);
  }

  private put(name: string, room: Room, delivery: DeliveryRecord, now: number): void {
    const mailbox = this.mailbox(name);
    const { messageId, payload, ttlMs } = delivery;
    if (mailbox.has(messageId)) return;
    const { tenant, saga } = room;
    const order = this.arrivals++;
    mailbox.set(messageId, { messageId, payload, ttlMs, tenant, saga, order, expiresAt: now + ttlMs });
  }

  private mailbox(name: string): Mailbox {
    let mailbox = this.mailboxes.get(name);
    if (mailbox === undefined) this.mailboxes.set(name, (mailbox = new Map()));
    return mailbox;
  }

  private giveUp(row: DeliveryRow, reason: string, now: number): void {
    const { tenant, saga, messageId, payload } = row;
    this.letters.add({
      tenant,
      destination: `saga:${saga}`,
      id: messageId,
      payload,
      reason,
      detail: null,
      attempts: 0,
      at: now,
    });
  }
}
