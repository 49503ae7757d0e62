import type { GroupStatistics, OrchestratorHealth } from '../statistics.js';
import type { GroupCore } from './group-core.js';

/** Share of a ceiling above which a group is degraded. */
const NEAR = 0.8;

export function statisticsOf(core: GroupCore): GroupStatistics {
  const { queued, running, pendingRequests, timers, activities, waitingSenders, meters } = core;
  return {
    ...meters.counters(),
    machines: core.instances.size,
    queued,
    running,
    pendingRequests,
    timers,
    activities,
    waitingSenders,
    latency: meters.latency.statistics(),
    ...(core.cluster === undefined ? {} : { cluster: core.cluster.statistics() }),
    ...(core.durable === undefined ? {} : { durable: core.durable.statistics() }),
  };
}

export function healthOf(core: GroupCore): OrchestratorHealth {
  const { queued, running, waitingSenders, instances, released } = core;
  const reasons = released ? ['the group was released'] : reasonsOf(core);
  const degraded = reasons.length > 0 ? 'degraded' : 'healthy';
  return {
    status: released ? 'released' : degraded,
    reasons,
    machines: instances.size,
    queued,
    running,
    waitingSenders,
  };
}

function reasonsOf({ queued, waitingSenders, instances, settings, cluster, durable }: GroupCore): string[] {
  const reasons: string[] = [...(cluster?.troubles() ?? []), ...(durable?.troubles() ?? [])];
  if (queued > settings.maxQueued * NEAR)
    reasons.push(`${queued} events are queued, of ${settings.maxQueued} at most`);
  if (instances.size > settings.maxMachines * NEAR) {
    reasons.push(`${instances.size} machines are at work, of ${settings.maxMachines} at most`);
  }
  if (waitingSenders > 0) reasons.push(`${waitingSenders} senders wait for room`);
  return reasons;
}
