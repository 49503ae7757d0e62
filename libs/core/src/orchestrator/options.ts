import type { Clock } from '../ports/clock.js';
import type { IdSource } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Scheduler } from '../ports/scheduler.js';

/**
 * The pool of channels that all groups of a process share; given by whoever asks for the orchestrator first.
 */
export interface PoolOptions {
  /** Channels at the beginning, and the fewest there ever are. Default: 16. */
  readonly poolSize?: number;
  /** Most channels. Default: 512. */
  readonly maxPoolSize?: number;
  /** Whether channels are added when a budget is spent. Default: true. */
  readonly allowGrowth?: boolean;
  /** How many times more channels there are after a growth, and fewer after a shrink. Default: 2. */
  readonly growthFactor?: number;
  /** The pool shrinks when it has used less than this share of its budgets for `shrinkAfterMs`. Default: 0.25. */
  readonly shrinkThreshold?: number;
  /** Milliseconds of little use that make the pool smaller by one step. Default: 1 000. */
  readonly shrinkAfterMs?: number;
  /** Whether counters and latencies are kept and listeners of metrics told. Default: true. */
  readonly enableMetrics?: boolean;
  /** Events that may lie in the ready mailboxes of one channel before outside senders have to wait. Default: 1 024. */
  readonly channelBudget?: number;
  /** Events that may lie in one mailbox before outside senders to it have to wait. Default: 512. */
  readonly mailboxBudget?: number;
  /** Milliseconds that the pool works before it lets I/O and timers have a turn. Default: 4. */
  readonly sliceMs?: number;
  /** Steps of one mailbox before the next one has its turn. Default: 16. */
  readonly mailboxSlice?: number;
  /** Told when a later caller wishes for another pool than there is. Default: silent. */
  readonly logger?: Logger;
}

/** A group as `reachableFrom` sees it. */
export interface GroupIdentity {
  readonly groupId: number;
  readonly name: string;
  /** Name of its cluster, where that is another one than the own. */
  readonly cluster?: string;
}

/** What belongs to one channel group. */
export interface ChannelGroupOptions {
  /** Time of all timers and time-outs of the group. Default: the system's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Unique parts of scoped ids. Default: random UUIDs. */
  readonly ids?: IdSource;
  /** Runs the machines of this group apart from the shared pool, in turns of its own. Default: the shared pool. */
  readonly scheduler?: Scheduler;
  /**
   * Names of the groups that may address machines of this one explicitly, or a rule. Groups of another cluster are `cluster/group`, also those of the
   * same name. Default: none.
   */
  readonly reachableFrom?: readonly string[] | ((group: GroupIdentity) => boolean);
  /** Most machines at a time. Default: 1 000 000. */
  readonly maxMachines?: number;
  /**
   * Ceiling for events queued in the group, whoever sent them. Steps never wait for room: one that would pass the ceiling fails.
   * Default: 1 000 000.
   */
  readonly maxQueued?: number;
  /** The same ceiling for one mailbox. Default: 100 000. */
  readonly maxQueuedPerMachine?: number;
  /** Outside senders that may wait for room; more are refused. Default: 100 000. */
  readonly maxWaitingSenders?: number;
  /** Milliseconds after which an asynchronous action has failed. Default: 30 000. */
  readonly actionTimeoutMs?: number;
  /** Milliseconds after which a request without a limit of its own is given up. Default: 30 000. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds that `stop` and `release` wait for actions and activities to heed their signal. Default: 5 000. */
  readonly releaseTimeoutMs?: number;
  /** Milliseconds of synchronous work in one step above which it is reported by name. Default: 10. */
  readonly slowStepMs?: number;
  /**
   * Ids of handled messages (`messageId`) that are remembered over all machines of the group, so that a repeat is not handled again. Durable machines keep those in their
   * store. Default: 16 384.
   */
  readonly repeatWindow?: number;
  /** Milliseconds for which they are. Default: 600 000. */
  readonly repeatWindowMs?: number;
  /** Values (of objects and lists, at any depth) that one event may hold. Default: 10 000. */
  readonly maxEventValues?: number;
}
