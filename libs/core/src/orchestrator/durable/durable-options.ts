import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Clock } from '../../ports/clock.js';
import { noFaults, type FaultPoints } from '../../ports/fault-points.js';
import type { IdSource } from '../../ports/ids.js';
import type { InstanceStore } from '../../ports/instance-store.js';
import { silentLogger, type Logger } from '../../ports/logger.js';
import type { PartitionedTransport } from '../../ports/partitioned-transport.js';
import { systemClock, uuidSource } from '../../ports/system-clock.js';
import { OrchestratorOptionError } from '../errors.js';

/** Options of {@link durableMachines}. */
export interface DurableMachinesOptions {
  /** Keeps the machines. It must be started, and stays open: whoever made it closes it. */
  readonly store: InstanceStore;
  /** The group of the machines, the same in every process: ids are unique in it. Default: `'default'`. */
  readonly group?: string;
  /** Whose machines they are: in the store, and among the processes. Another tenant has others of the same ids. Default: `'default'`. */
  readonly tenant?: string;
  /**
   * Spreads the machines over several processes: each lives where its partition is. Without one they all live in this process, and no other may have machines of
   * the same group at the same time.
   */
  readonly transport?: PartitionedTransport;
  /** Name of the cluster; with a transport only. Default: `'default'`. */
  readonly cluster?: string;
  /** Name of this process, unique among those that live; with a transport only. Default: a random one. */
  readonly name?: string;
  /** Default: the system's. The due instants of timers are compared with it: keep the clocks of all nodes together. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Ids of messages that came without one. Default: random UUIDs. */
  readonly ids?: IdSource;
  /** Default: none. */
  readonly faults?: FaultPoints;
  /** Attempts at an action before it is given up, which is logged. Default: 5. */
  readonly maxEffectAttempts?: number;
  /** Milliseconds until an action or a delivery that failed is tried again, doubled each time. Default: 100. */
  readonly effectRetryMs?: number;
  /** Milliseconds that an action may take. Default: 30 000. */
  readonly actionTimeoutMs?: number;
  /** Milliseconds until a request is given up. Default: 30 000. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds until a frame comes again whose definition this process does not know. Default: 1 000. */
  readonly giveBackMs?: number;
  /** Characters of JSON that a context, and what is kept beside it, may have. Default: 1 000 000. */
  readonly maxLength?: number;
  /** Told of what a machine has said with `emit`. */
  readonly onEmit?: (machine: string, event: EventObject) => void;
}

const LIMITS = {
  maxEffectAttempts: 5,
  effectRetryMs: 100,
  actionTimeoutMs: 30_000,
  requestTimeoutMs: 30_000,
  giveBackMs: 1_000,
  maxLength: 1_000_000,
};

type Given = Pick<DurableMachinesOptions, 'store' | 'transport' | 'onEmit'>;

/** The options, checked and complete. */
export type DurableSettings = typeof LIMITS &
  Given &
  Required<
    Pick<
      DurableMachinesOptions,
      'group' | 'tenant' | 'cluster' | 'name' | 'clock' | 'logger' | 'ids' | 'faults'
    >
  >;

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function durableSettings(options: DurableMachinesOptions): DurableSettings {
  const { ids = uuidSource, clock = systemClock, logger = silentLogger, faults = noFaults } = options;
  const names = { group: 'default', tenant: 'default', cluster: 'default', name: `process-${ids.next()}` };
  const given = {
    store: options.store,
    ...(options.transport === undefined ? {} : { transport: options.transport }),
    ...(options.onEmit === undefined ? {} : { onEmit: options.onEmit }),
  };
  return { ...limitsOf(options), ...names, ...namesOf(options), ...given, ids, clock, logger, faults };
}

/** @throws OrchestratorOptionError */
function limitsOf(options: DurableMachinesOptions): typeof LIMITS {
  const limits = { ...LIMITS };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value = options[name] ?? LIMITS[name];
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new OrchestratorOptionError(name, 'must be a whole number of at least 1', value);
    }
    limits[name] = value;
  }
  return limits;
}

/** @throws OrchestratorOptionError */
function namesOf(
  options: DurableMachinesOptions,
): Partial<Record<'group' | 'tenant' | 'cluster' | 'name', string>> {
  const names: Partial<Record<'group' | 'tenant' | 'cluster' | 'name', string>> = {};
  for (const option of ['group', 'tenant', 'cluster', 'name'] as const) {
    const value = options[option];
    if (value === '') throw new OrchestratorOptionError(option, 'must be a text', value);
    if (value !== undefined) names[option] = value;
  }
  return names;
}
