import { systemClock, type Clock } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { encode } from './encode.js';
import { Room } from './room.js';

const MOST_CACHED = 10_000;
/** After so long a tenant is written down anew, since a server may lose what it has acknowledged. */
const TRUSTED_MS = 30_000;

/**
 * The tenants of a store. A tenant is written down before the first key of its room is, so whoever asks for all of them, to look for
 * work, misses none.
 */
export class Rooms {
  private readonly cache = new Map<string, Room>();
  /** When each tenant was written down the last time, by this process' clock. */
  private readonly known = new Map<string, number>();
  private readonly key: string;

  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
    private readonly clock: Pick<Clock, 'monotonic'> = systemClock,
  ) {
    this.key = `{${encode(prefix)}}:tenants`;
    connection.connectedAgain(() => this.known.clear());
  }

  /** The names of a tenant's keys. */
  of(tenant: string): Room {
    const cached = this.cache.get(tenant);
    if (cached !== undefined) return cached;
    if (this.cache.size >= MOST_CACHED) this.cache.clear();
    const room = new Room(this.prefix, tenant);
    this.cache.set(tenant, room);
    return room;
  }

  /** To be awaited before something is written for these tenants. */
  async register(tenants: Iterable<string>): Promise<void> {
    const now = this.clock.monotonic();
    const fresh = [...new Set(tenants)].filter(
      (tenant) => now - (this.known.get(tenant) ?? -Infinity) > TRUSTED_MS,
    );
    if (fresh.length === 0) return;
    await this.connection.command((client) => client.sadd(this.key, ...fresh));
    for (const tenant of fresh) this.known.set(tenant, now);
  }

  /** All rooms that may hold something, in a fixed order. */
  async all(): Promise<readonly Room[]> {
    const tenants = await this.connection.command((client) => client.smembers(this.key));
    return tenants.toSorted().map((tenant) => this.of(tenant));
  }
}
