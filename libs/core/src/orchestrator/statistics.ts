import type { ClusterStatistics } from './cluster/cluster-statistics.js';

/** Counts since the group was made. */
export interface OrchestratorCounters {
  /** Steps adopted, those that changed nothing included. */
  readonly processed: number;
  /** Steps, starts, sends and activities that failed. */
  readonly failed: number;
  /** Requests, waits and actions whose time was over. */
  readonly timedOut: number;
  /** Outside sends that had to wait, or were told no by `trySend`. */
  readonly throttled: number;
  /** Events that came again under a `messageId` that their machine had handled: nothing happened. */
  readonly repeated: number;
  /** Ids of messages that were forgotten before `repeatWindowMs` was over, since `repeatWindow` was full: a repeat of one would be handled. */
  readonly forgotten: number;
  /** Machines that began, and that ended. */
  readonly registered: number;
  readonly disposed: number;
}

/** Name of a counter. */
export type CounterName = keyof OrchestratorCounters;

/**
 * Milliseconds from acceptance to the end of the step, over all requests and one in sixteen other events. Percentiles are exact to 4 %.
 */
export interface LatencyStatistics {
  readonly count: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Of the durable machines of a group, in this process. */
export interface DurableStatistics {
  /** Machines that are at work here; others are at work elsewhere, or asleep in the store. */
  readonly atWork: number;
  /** Partitions that this process owns; 0 without a transport. */
  readonly partitions: number;
  /**
   * Dead letters that this process has made since it started; 0 without a transport. How many there are in the cluster, its server would have to be asked: list
   * them by `deadLetters()`.
   */
  readonly deadLetters: number;
}

/** Of one group: counts, and what is so now. */
export interface GroupStatistics extends OrchestratorCounters {
  readonly machines: number;
  /** Events in mailboxes. */
  readonly queued: number;
  /** Steps whose action is under way. */
  readonly running: number;
  readonly pendingRequests: number;
  readonly timers: number;
  readonly activities: number;
  readonly waitingSenders: number;
  readonly latency: LatencyStatistics;
  /** undefined: the group belongs to no cluster. */
  readonly cluster?: ClusterStatistics;
  /** undefined: the group keeps no durable machines. */
  readonly durable?: DurableStatistics;
}

/** Of the channels that groups share. */
export interface PoolStatistics {
  readonly channels: number;
  /** Events in ready mailboxes. */
  readonly queued: number;
  readonly readyMailboxes: number;
  /** Share of all budgets in use, 0 … 1 and above. */
  readonly utilization: number;
  readonly growths: number;
  readonly shrinks: number;
  /** Turns taken, and the longest of them in milliseconds, user code included. */
  readonly turns: number;
  readonly longestTurnMs: number;
}

/** Of the process: the sums of all groups, those released included, and the pool. */
export interface GlobalStatistics extends GroupStatistics {
  readonly groups: number;
  readonly pool: PoolStatistics;
}

/** How a group, or the process, stands. `degraded` names its reasons. */
export interface OrchestratorHealth {
  readonly status: 'healthy' | 'degraded' | 'released';
  readonly reasons: readonly string[];
  readonly machines: number;
  readonly queued: number;
  readonly running: number;
  readonly waitingSenders: number;
}

/** Told as it happens, so that nothing has to be polled. Called inside the pool: be quick. What it throws becomes an uncaught error. */
export interface MetricsListener {
  count?(counter: CounterName, definition: string): void;
  latency?(milliseconds: number, definition: string): void;
}
