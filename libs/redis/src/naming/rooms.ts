import type { Connection } from '../connection/connection.js';
import { encode } from './encode.js';
import { Room } from './room.js';

const MOST_CACHED = 10_000;

/**
 * The tenants of a store. A tenant is written down before the first key of its room is, so whoever asks for all of them, to look for
 * work, misses none.
 */
export class Rooms {
  private readonly cache = new Map<string, Room>();
  private readonly known = new Set<string>();
  private readonly key: string;

  constructor(
    private readonly connection: Connection,
    private readonly prefix: string,
  ) {
    this.key = `{${encode(prefix)}}:tenants`;
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
    const fresh = [...new Set(tenants)].filter((tenant) => !this.known.has(tenant));
    if (fresh.length === 0) return;
    await this.connection.command((client) => client.sadd(this.key, ...fresh));
    for (const tenant of fresh) this.known.add(tenant);
  }

  /** All rooms that may hold something, in a fixed order. */
  async all(): Promise<readonly Room[]> {
    const tenants = await this.connection.command((client) => client.smembers(this.key));
    return tenants.toSorted().map((tenant) => this.of(tenant));
  }

  /** The server may have lost what was registered: everybody is written down anew. */
  forget(): void {
    this.known.clear();
  }
}
