import type { InstanceRef, KeyRecord, Tombstone } from '../ports/index.js';
import { keyName, type Room } from './names.js';

interface Stone {
  readonly id: string;
  readonly start: string | null;
  readonly at: number;
}

/** What is left under keys of instances that were removed or superseded. */
export class Tombstones {
  private readonly byKey = new Map<string, Stone[]>();

  add(ref: InstanceRef, keys: readonly KeyRecord[], start: string | null, at: number): void {
    for (const key of keys) {
      const name = keyName(ref, key);
      const stones = (this.byKey.get(name) ?? []).filter(({ id }) => id !== ref.id);
      this.byKey.set(name, [...stones, { id: ref.id, start, at }]);
    }
  }

  /** Whether an instance may not be created: it is one that was removed, or nobody has looked whether there is a tombstone. */
  bar(ref: InstanceRef, keys: readonly KeyRecord[], unseen: boolean): boolean {
    return keys.some((key) =>
      (this.byKey.get(keyName(ref, key)) ?? []).some(({ id }) => unseen || id === ref.id),
    );
  }

  find(room: Room, key: KeyRecord): Tombstone | null {
    const stones = this.byKey.get(keyName(room, key)) ?? [];
    const last = stones.at(-1);
    if (last === undefined) return null;
    return { id: last.id, starts: stones.map(({ start }) => start).filter((start) => start !== null) };
  }

  /** Forgets at most `limit` that are older than `before`; how many. */
  purge(before: number, limit: number): number {
    let purged = 0;
    for (const [name, stones] of this.byKey) {
      const old = stones.filter(({ at }) => at <= before).slice(0, limit - purged);
      if (old.length === 0) continue;
      purged += old.length;
      const rest = stones.filter((stone) => !old.includes(stone));
      if (rest.length > 0) this.byKey.set(name, rest);
      else this.byKey.delete(name);
    }
    return purged;
  }
}
