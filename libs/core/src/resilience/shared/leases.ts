import type { Cancellable, Clock } from '../../ports/clock.js';
import type { TokenUnits } from '../limiter/token-units.js';
import type { LeaseOptions } from './shared-limiter-options.js';

interface Lease {
  /** Units that are here and not spent. */
  left: number;
  /** Tokens that the node may hold of this key for now; grows with the demand, up to `tokens`. */
  size: number;
  /** Units spent since the last look. */
  spent: number;
  filling: boolean;
  /** So many units can't be there before that time; as the store said. */
  emptyUntil: number;
  emptyFor: number;
}

/**
 * Tokens held ahead, per key. A key begins with a lease of one token; each time a lease is used up its size doubles, and once per `duration` it shrinks
 * to what was used of it. A key that nobody asked for is dropped. No clock is read: a timer looks while there are leases.
 */
export class Leases {
  private readonly leases = new Map<string | undefined, Lease>();
  private timer: Cancellable | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly units: TokenUnits,
    private readonly options: Required<LeaseOptions>,
    private readonly maxKeys: number,
    /** Asks the store for so many tokens of a key; gives how many came. */
    private readonly fetch: (key: string | undefined, tokens: number) => Promise<number>,
  ) {}

  /** Keys of which something is held, or may be. */
  get keys(): number {
    return this.leases.size;
  }

  /** Takes units of what is held. Fetches more before it runs out, so that a hot key need not wait. */
  take(key: string | undefined, units: number): boolean {
    const lease = this.leases.get(key);
    if (lease === undefined || lease.left < units) return false;
    lease.left -= units;
    lease.spent += units;
    if (lease.left * 2 < lease.size * this.units.perToken && !lease.filling) void this.fill(key, lease);
    return true;
  }

  /** A call of this key was let through by the store itself: it is in demand. */
  demanded(key: string | undefined): void {
    const lease = this.leases.get(key) ?? this.made(key);
    if (lease === undefined || lease.filling) return;
    void this.fill(key, lease);
  }

  /** The store refused so many units: until they can have come in, this node need not ask again, nor longer than `duration`. */
  refused(key: string | undefined, units: number, retryAfterMs: number): void {
    const lease = this.leases.get(key) ?? this.made(key);
    if (lease === undefined) return;
    lease.emptyUntil = this.clock.monotonic() + Math.min(retryAfterMs, this.options.duration);
    lease.emptyFor = units;
  }

  /** Milliseconds for which a call is known to be refused; 0 where the store must say. */
  refusal(key: string | undefined, units: number): number {
    const lease = this.leases.get(key);
    if (lease === undefined || units < lease.emptyFor || lease.emptyUntil === -Infinity) return 0;
    return Math.max(0, Math.ceil(lease.emptyUntil - this.clock.monotonic()));
  }

  forget(key: string | undefined): void {
    if (key === undefined) this.leases.clear();
    else this.leases.delete(key);
  }

  private made(key: string | undefined): Lease | undefined {
    if (this.leases.size >= this.maxKeys) return undefined;
    const lease = { left: 0, size: 0, spent: 0, filling: false, emptyUntil: -Infinity, emptyFor: 0 };
    this.leases.set(key, lease);
    this.timer ??= this.clock.schedule(this.options.duration, () => this.look());
    return lease;
  }

  private async fill(key: string | undefined, lease: Lease): Promise<void> {
    lease.filling = true;
    lease.size = Math.min(this.options.tokens, Math.max(1, lease.size * 2));
    const missing = lease.size - Math.ceil(lease.left / this.units.perToken);
    try {
      const came = missing > 0 ? await this.fetch(key, missing) : 0;
      lease.left += came * this.units.perToken;
    } finally {
      lease.filling = false;
    }
  }

  private look(): void {
    const now = this.clock.monotonic();
    for (const [key, lease] of this.leases) {
      if (lease.spent === 0 && !lease.filling && lease.emptyUntil <= now) this.leases.delete(key);
      lease.size = Math.ceil(lease.spent / this.units.perToken);
      lease.spent = 0;
    }
    const { duration } = this.options;
    this.timer = this.leases.size === 0 ? undefined : this.clock.schedule(duration, () => this.look());
  }
}
