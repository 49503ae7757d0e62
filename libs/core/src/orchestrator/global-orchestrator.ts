import type { ChannelGroupOptions } from './options.js';
import type { ChannelGroup } from './orchestrator.js';
import type { GlobalStatistics, OrchestratorHealth } from './statistics.js';

/** The one orchestrator of a JavaScript realm (worker threads have their own). It can't be closed; groups can. */
export interface GlobalOrchestrator {
  /** @throws OrchestratorOptionError naming the option, its rule and the value */
  createChannelGroup(name: string, options?: ChannelGroupOptions): ChannelGroup;
  /** Groups that have not been released, in the order of their making. */
  groups(): readonly ChannelGroup[];
  stats(): GlobalStatistics;
  health(): OrchestratorHealth;
}
