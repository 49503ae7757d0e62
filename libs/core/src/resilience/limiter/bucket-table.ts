import { mustFit } from './limiter-options.js';
import type { TokenUnits } from './token-units.js';

/** Bucket of calls without a key; never forgotten. */
export const KEYLESS = 0;
const FIRST_ROOM = 64;
/** Buckets looked at when one must be forgotten. */
const PROBES = 16;

/**
 * Buckets by key in flat arrays: no object per key, nothing allocated for a known key. Forgetting goes by second chance (the CLOCK algorithm,
 * F. J. Corbató, 1968): a hand goes round, and a bucket that was used since its last pass is passed over once.
 */
export class BucketTable {
  private readonly maxKeys: number;
  private readonly maxKeyLength: number;
  private readonly slots = new Map<string, number>();
  private keys: (string | undefined)[] = [undefined];
  private levels: Float64Array;
  private filledAt: Float64Array;
  private used: Uint8Array;
  private hand = 1;
  private latestKey: string | undefined;
  private latestSlot = KEYLESS;
  /** The least that any forgotten bucket would hold by now; what a new key begins with. */
  private forgottenLevel: number;
  private forgottenAt = 0;
  /** How many keys were forgotten; of these, how many had less than a full bucket. */
  forgotten = 0;
  forgottenEarly = 0;

  constructor(
    private readonly units: TokenUnits,
    { maxKeys, maxKeyLength }: { readonly maxKeys: number; readonly maxKeyLength: number },
  ) {
    this.maxKeys = maxKeys;
    this.maxKeyLength = maxKeyLength;
    const room = Math.min(FIRST_ROOM, maxKeys + 1);
    this.levels = new Float64Array(room);
    this.filledAt = new Float64Array(room);
    this.used = new Uint8Array(room);
    this.levels[KEYLESS] = units.capacity;
    this.forgottenLevel = units.capacity;
  }

  get size(): number {
    return this.slots.size;
  }

  /** The slot of a key, which is made if it is new. */
  slotOf(key: string | undefined, now: number): number {
    if (key === this.latestKey) return this.latestSlot;
    if (key === undefined) return KEYLESS;
    let slot = this.slots.get(key);
    if (slot === undefined) slot = this.add(key, now);
    else this.used[slot] = 1;
    this.latestKey = key;
    return (this.latestSlot = slot);
  }

  /** The level of a bucket that need not exist. */
  look(key: string | undefined, now: number): number {
    const slot = key === undefined ? KEYLESS : this.slots.get(key);
    return slot === undefined ? this.newLevel(now) : this.levelOf(slot, now);
  }

  /** Fills a bucket up to now, and takes units from it if it holds so many. */
  take(slot: number, now: number, units: number): boolean {
    const { levels, filledAt } = this;
    const level = this.levelAt(levels[slot] as number, filledAt[slot] as number, now);
    filledAt[slot] = now;
    const enough = level >= units;
    levels[slot] = enough ? level - units : level;
    return enough;
  }

  /** Makes a bucket full. */
  fill(key: string, now: number): void {
    this.levels[this.slotOf(key, now)] = this.units.capacity;
  }

  /** All buckets are full again, and every key is forgotten. */
  clear(): void {
    this.slots.clear();
    this.keys.length = 1;
    this.hand = 1;
    this.latestKey = undefined;
    this.levels[KEYLESS] = this.units.capacity;
    this.forgottenLevel = this.units.capacity;
  }

  private levelOf(slot: number, now: number): number {
    return this.levelAt(this.levels[slot] as number, this.filledAt[slot] as number, now);
  }

  private levelAt(level: number, since: number, now: number): number {
    const { capacity, perMicrosecond, fillTime } = this.units;
    const elapsed = now - since;
    if (elapsed >= fillTime) return capacity;
    return Math.min(capacity, level + elapsed * perMicrosecond);
  }

  private newLevel(now: number): number {
    return this.levelAt(this.forgottenLevel, this.forgottenAt, now);
  }

  private add(key: string, now: number): number {
    mustFit(key, this.maxKeyLength);
    const slot = this.keys.length <= this.maxKeys ? this.grown() : this.forget(now);
    this.slots.set(key, slot);
    this.keys[slot] = key;
    this.levels[slot] = this.newLevel(now);
    this.filledAt[slot] = now;
    this.used[slot] = 0;
    return slot;
  }

  private grown(): number {
    const slot = this.keys.length;
    if (slot < this.levels.length) return slot;
    const room = Math.min(slot * 2, this.maxKeys + 1);
    this.levels = widened(this.levels, new Float64Array(room));
    this.filledAt = widened(this.filledAt, new Float64Array(room));
    this.used = widened(this.used, new Uint8Array(room));
    return slot;
  }

  private forget(now: number): number {
    const slot = this.candidate(now);
    const level = this.levelOf(slot, now);
    this.slots.delete(this.keys[slot] as string);
    this.forgotten += 1;
    if (level < this.units.capacity) {
      this.forgottenLevel = Math.min(this.newLevel(now), level);
      this.forgottenAt = now;
      this.forgottenEarly += 1;
    }
    return slot;
  }

  /** A full bucket if one is near; else the first that was not used lately. */
  private candidate(now: number): number {
    let spare: number | undefined;
    for (let probe = 0; probe < PROBES; probe += 1) {
      const slot = this.hand;
      this.hand = slot >= this.maxKeys ? 1 : slot + 1;
      if (this.levelOf(slot, now) >= this.units.capacity) return slot;
      if (this.used[slot] === 1) this.used[slot] = 0;
      else spare ??= slot;
    }
    return spare ?? this.hand;
  }
}

function widened<A extends Float64Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
