import { GroupUnreachableError } from '../errors.js';
import type { GroupCore } from '../group/group-core.js';
import { Meters } from '../observe/meters.js';
import type { ChannelPool } from '../pool/channel-pool.js';
import type { PoolSettings } from '../pool/pool-settings.js';

/** What all copies of this package in a realm share. Its shape belongs to the protocol number. */
export class RealmState {
  /** Groups that have not been released, in the order of their making. */
  readonly groups = new Map<number, GroupCore>();
  /** Counts of the groups that were released. */
  readonly past: Meters;
  private lastGroupId = 0;

  constructor(
    readonly protocol: number,
    readonly settings: PoolSettings,
    readonly pool: ChannelPool,
  ) {
    this.past = new Meters(settings.enableMetrics);
  }

  nextGroupId(): number {
    return (this.lastGroupId += 1);
  }

  /** @throws GroupUnreachableError */
  find(group: string | number, from: GroupCore): GroupCore {
    if (typeof group === 'number') {
      const core = this.groups.get(group);
      if (core === undefined) throw new GroupUnreachableError(group, from.name, 'unknown');
      return core;
    }
    const named = [...this.groups.values()].filter(({ name, released }) => name === group && !released);
    const [core] = named;
    if (core === undefined) throw new GroupUnreachableError(group, from.name, 'unknown');
    if (named.length > 1) throw new GroupUnreachableError(group, from.name, 'ambiguous');
    return core;
  }

  forget(core: GroupCore): void {
    if (this.groups.delete(core.groupId)) this.past.add(core.meters);
  }
}
