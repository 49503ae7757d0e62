import { uuidSource } from '../ports/system-clock.js';
import type { Scheduler } from '../ports/scheduler.js';
import { systemScheduler } from '../ports/system-scheduler.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { Transport } from '../ports/transport.js';
import { isClusterName } from './cluster/address.js';
import { ClusterMember, type Membership } from './cluster/cluster-member.js';
import { type ClusterLimits, clusterLimits } from './cluster/cluster-options.js';
import { type Gateway, isGateway } from './cluster/gateway/gateway.js';
import type { DurableOptions } from './durable/group-durables.js';
import { startDurables } from './durable/start-durables.js';
import { OrchestratorOptionError } from './errors.js';
import { coreOf, globalOrchestrator } from './global/global-orchestrator.js';
import type { GroupCore } from './group/group-core.js';
import type { ChannelGroupOptions, PoolOptions } from './options.js';
import type { ChannelGroup } from './orchestrator.js';
import { type Environment, IN_PROCESS, transportType } from './transport-type.js';

/** Where the machines of an orchestrator meet those of other processes. */
export interface ClusterOptions extends Partial<ClusterLimits> {
  /**
   * Which of the transports is used: its name in `transports`, or `in-process` for none. Default: the variable `ORCHESTRATOR_TYPE` of the environment;
   * without it, the only transport given, or `in-process`.
   */
  readonly type?: string;
  /** The transports that there are to choose from, by name: `{ 'shared-memory': sharedMemory() }`; also {@link gateway}. Default: none. */
  readonly transports?: Readonly<Record<string, Transport | Gateway>>;
  /** Name of the cluster: processes that name the same one meet. Default: `'default'`. */
  readonly cluster?: string;
  /** Name of this process in the cluster, unique among those that live. Default: the name of the group and a random UUID. */
  readonly endpoint?: string;
  /** In place of the environment of the process. */
  readonly environment?: Environment;
}

/** Options of {@link createOrchestrator}. */
export interface OrchestratorOptions extends ChannelGroupOptions, ClusterOptions {
  /**
   * Keeps durable machines (`spawn(machine, { id, durable: true })`). It must be started, and stays open: whoever made it closes it. In-process they live here and go on
   * after the next start, which nobody else may have at the same time; over a transport with partitions each one has one owner among the processes. Other transports
   * refuse durable machines. Default: none, durable machines are refused.
   */
  readonly store?: InstanceStore;
  /** How durable machines run; with `store` only. */
  readonly durable?: DurableOptions;
  /**
   * Name of the channel group. Groups of the same name in all processes of a cluster are one address space: a machine of any of them is found
   * by its id. Default: `'default'`.
   */
  readonly name?: string;
  /** The pool that all groups of this process share; given by whoever comes first. */
  readonly pool?: PoolOptions;
}

/**
 * An orchestrator of the type that is wished for. Where that is a transport, its machines and those of the other processes of the cluster
 * reach each other as if they were side by side; what is in the same process never touches the transport. Whoever makes it, releases it.
 *
 * ```ts
 * const orchestrator = await createOrchestrator({
 *   name: 'orders',
 *   type: 'shared-memory',
 *   transports: { 'shared-memory': sharedMemory(), distributed: redisStreams(redis) },
 * });
 * ```
 *
 * @throws TransportTypeError, OrchestratorOptionError, EndpointTakenError, RegistryFullError, TransportUnavailableError (as rejections);
 *   nothing is left behind then
 */
export async function createOrchestrator(options: OrchestratorOptions = {}): Promise<ChannelGroup> {
  const { name = 'default', pool, transports = {} } = options;
  const type = transportType(options.type, Object.keys(transports), options.environment);
  const global = globalOrchestrator(pool);
  if (type === IN_PROCESS && options.store === undefined) return global.createChannelGroup(name, options);
  const names = clusterNames(name, options);
  const choice =
    type === IN_PROCESS ? undefined : chosen(transports[type] as Transport | Gateway, names.cluster);
  const limits = clusterLimits(options);
  const group = global.createChannelGroup(name, options);
  try {
    if (choice !== undefined) await join(coreOf(group), choice, { ...names, limits }, options.scheduler);
    if (options.store !== undefined) await startDurables(group, options.store, options.durable);
    return group;
  } catch (error) {
    await group.release();
    throw error;
  }
}

/** By what a group joins its cluster, and whether it is a way to another one. */
interface Choice {
  readonly transport: Transport;
  readonly gateway?: Gateway;
}

async function join(
  core: GroupCore,
  { transport, gateway }: Choice,
  place: Pick<Membership, 'cluster' | 'endpoint' | 'limits'>,
  scheduler: Scheduler = systemScheduler,
): Promise<void> {
  core.cluster = await ClusterMember.join(core, { transport, ...place, scheduler });
  if (gateway !== undefined) await core.cluster.abroad.open(gateway);
}

/** @throws OrchestratorOptionError where a gateway joins a cluster to itself */
function chosen(choice: Transport | Gateway, cluster: string): Choice {
  if (!isGateway(choice)) return { transport: choice };
  if (choice.joins !== cluster) return { transport: choice.local, gateway: choice };
  const rule = `must be another cluster than the own one, '${cluster}': name both`;
  throw new OrchestratorOptionError('joins', rule, choice.joins);
}

/** @throws OrchestratorOptionError */
function clusterNames(
  group: string,
  options: OrchestratorOptions,
): { readonly cluster: string; readonly endpoint: string } {
  const { cluster = 'default', ids = uuidSource } = options;
  // Not in the middle of a character.
  const { endpoint = `${group.slice(0, 60).replace(/\p{Surrogate}$/u, '')}-${ids.next()}` } = options;
  for (const [option, value] of Object.entries({ name: group, cluster, endpoint })) {
    if (!isClusterName(value)) {
      throw new OrchestratorOptionError(
        option,
        "must be a text of 1 to 100 characters without '/', '#' and control characters, since it is part of addresses",
        value,
      );
    }
  }
  return { cluster, endpoint };
}
