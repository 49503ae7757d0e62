import { systemClock } from '../../ports/system-clock.js';
import { systemScheduler } from '../../ports/system-scheduler.js';
import { OrchestratorOptionError, ProtocolMismatchError } from '../errors.js';
import { GroupCore } from '../group/group-core.js';
import { groupSettings } from '../group/group-settings.js';
import { healthOf } from '../group/group-reports.js';
import { LocalChannelGroup } from '../group/local-channel-group.js';
import { Meters } from '../observe/meters.js';
import type { ChannelGroupOptions, PoolOptions } from '../options.js';
import type { ChannelGroup } from '../orchestrator.js';
import { ChannelPool } from '../pool/channel-pool.js';
import { type PoolSettings, poolSettings } from '../pool/pool-settings.js';
import type { GlobalStatistics, OrchestratorHealth } from '../statistics.js';
import { RealmState } from './realm-state.js';

/** Copies of the package that share an orchestrator agree on this number; it changes with the shape of what they share. */
export const PROTOCOL = 1;

const KEY: unique symbol = Symbol.for('@nestjs-orchestrator/core') as never;

/** The one orchestrator of a JavaScript realm (worker threads have their own). It can't be closed; groups can. */
export interface GlobalOrchestrator {
  /** @throws OrchestratorOptionError naming the option, its rule and the value */
  createChannelGroup(name: string, options?: ChannelGroupOptions): ChannelGroup;
  /** Groups that have not been released, in the order of their making. */
  groups(): readonly ChannelGroup[];
  stats(): GlobalStatistics;
  health(): OrchestratorHealth;
}

/** The inner side of a group, for this room. */
const cores = new WeakMap<ChannelGroup, GroupCore>();

/** The inner side of a group of this copy of the package. */
export function coreOf(group: ChannelGroup): GroupCore {
  return cores.get(group) as GroupCore;
}

let facade: RealmOrchestrator | undefined;

/**
 * The orchestrator of this process: always the same, also for another copy of this package. Pool options belong to whoever comes first; a later
 * wish for others is a warning.
 *
 * @throws ProtocolMismatchError where a copy with another protocol was first
 * @throws OrchestratorOptionError naming the option, its rule and the value
 */
export function globalOrchestrator(options: PoolOptions = {}): GlobalOrchestrator {
  const place = globalThis as { [KEY]?: RealmState };
  const there = place[KEY];
  if (there === undefined) place[KEY] = newRealm(options);
  else if (there.protocol !== PROTOCOL) throw new ProtocolMismatchError(there.protocol, PROTOCOL);
  else warnOfOtherWishes(there.settings, options);
  const state = place[KEY] as RealmState;
  if (facade?.state !== state) facade = new RealmOrchestrator(state);
  return facade;
}

function newRealm(options: PoolOptions): RealmState {
  const settings = poolSettings(options);
  return new RealmState(PROTOCOL, settings, new ChannelPool(settings, systemScheduler, systemClock));
}

function warnOfOtherWishes(settings: PoolSettings, options: PoolOptions): void {
  const wishes = poolSettings({ ...settings, ...options });
  const names = Object.keys(settings) as (keyof PoolSettings)[];
  const other = names.filter((name) => wishes[name] !== settings[name]);
  for (const name of other) {
    options.logger?.warn(
      `The pool of this process exists already: option '${name}' stays ${settings[name]}`,
      { wished: wishes[name] },
    );
  }
}

/** This copy's view of what is shared. */
class RealmOrchestrator implements GlobalOrchestrator {
  constructor(readonly state: RealmState) {}

  createChannelGroup(name: string, options: ChannelGroupOptions = {}): ChannelGroup {
    if (typeof name !== 'string' || name === '')
      throw new OrchestratorOptionError('name', 'must be a text', name);
    const settings = groupSettings(options);
    const { state } = this;
    const { scheduler } = options;
    const pool =
      scheduler === undefined ? state.pool : new ChannelPool(state.settings, scheduler, settings.clock);
    const core = new GroupCore(state, state.nextGroupId(), name, settings, pool);
    state.groups.set(core.groupId, core);
    core.facade = new LocalChannelGroup(core);
    cores.set(core.facade, core);
    return core.facade;
  }

  groups(): readonly ChannelGroup[] {
    return [...this.state.groups.values()].filter(({ released }) => !released).map((core) => core.facade);
  }

  stats(): GlobalStatistics {
    const { groups, past, pool } = this.state;
    const meters = new Meters(true);
    meters.add(past);
    const all = [...groups.values()];
    for (const core of all) meters.add(core.meters);
    const sum = (of: (core: GroupCore) => number): number => all.reduce((total, core) => total + of(core), 0);
    return {
      ...meters.counters(),
      machines: sum(({ instances }) => instances.size),
      queued: sum(({ queued }) => queued),
      running: sum(({ running }) => running),
      pendingRequests: sum(({ pendingRequests }) => pendingRequests),
      timers: sum(({ timers }) => timers),
      activities: sum(({ activities }) => activities),
      waitingSenders: sum(({ waitingSenders }) => waitingSenders),
      latency: meters.latency.statistics(),
      groups: all.length,
      pool: pool.statistics(),
    };
  }

  health(): OrchestratorHealth {
    const healths = [...this.state.groups.values()].map((core) => ({ name: core.name, ...healthOf(core) }));
    const reasons = healths.flatMap(({ name, reasons }) => reasons.map((reason) => `${name}: ${reason}`));
    const { machines, queued, running, waitingSenders } = this.stats();
    return {
      status: reasons.length > 0 ? 'degraded' : 'healthy',
      reasons,
      machines,
      queued,
      running,
      waitingSenders,
    };
  }
}
