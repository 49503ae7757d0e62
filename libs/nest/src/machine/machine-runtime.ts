import {
  createOrchestrator,
  globalOrchestrator,
  type ChannelGroup,
  type ChannelGroupOptions,
  type ClusterOptions,
  type DurableOptions,
  type Machine,
  type MachineAddress,
  type MachineImplementations,
  type OrchestratorRecord,
  type PoolOptions,
  type RegisteredMachine,
  type SpawnOptions,
} from '@nestjs-orchestrator/core';
import type { Clock, IdSource, InstanceStore, Logger } from '@nestjs-orchestrator/core/ports';
import { ApplicationGroup } from './application-group.js';
import { noBehaviour, type MachineBehaviour, type TransitionListener } from './machine-class.accessor.js';
import type { MachineHandle } from './machine.tokens.js';

/** Options of a channel group that the application does not set for all of them. */
export type ApplicationGroupOptions = Omit<ChannelGroupOptions, 'clock' | 'ids' | 'logger'>;

/** How the application's machines run. */
export interface MachineOptions {
  /** Name of the application's channel group. Default: `'application'`. */
  readonly name?: string;
  /** The pool that all groups of this process share; the first application of the process decides. */
  readonly pool?: PoolOptions;
  /** Limits of the application's own group. */
  readonly group?: ApplicationGroupOptions;
  /** Limits of groups that `forFeature` names; a group that is not here has the defaults. */
  readonly channelGroups?: Readonly<Record<string, ApplicationGroupOptions>>;
  /**
   * Whether `spawn(machine, { id, durable: true })` keeps machines in the application's store, from `onApplicationBootstrap` of this module on; `true`, or how they run.
   * Default: where there is a store, and the transport that the application joins by gives each machine one owner (`distributed`). Without a transport, say `true`: then no other
   * process may have the same group and store at the same time.
   */
  readonly durable?: boolean | DurableOptions;
  /** How long a shutdown waits for queued events and running actions, in milliseconds. Default: 5 000. */
  readonly drainTimeoutMs?: number;
}

/** How the application's groups join a cluster. */
export interface ApplicationTransport extends ClusterOptions {
  /**
   * Which groups that `forFeature` names join as well, each as an endpoint of its own, `{endpoint}~{group}`; `'all'` for all of them. Default: none, they stay in
   * their process.
   */
  readonly groups?: 'all' | readonly string[];
}

/** What the application's groups have in common. */
export interface MachineSurroundings {
  readonly clock: Clock | undefined;
  readonly ids: IdSource | undefined;
  readonly logger: Logger;
  /** Where the application's groups meet those of other processes. */
  readonly transport?: ApplicationTransport | undefined;
  /** Where durable machines are kept; undefined: the application has configured none. */
  readonly store?: InstanceStore | undefined;
}

/** A machine, what implements it, and the named group that it belongs to; `undefined` is the application's own. */
export interface MachinePlan {
  readonly behaviour: MachineBehaviour;
  readonly group: string | undefined;
}

const DRAIN_TIMEOUT_MS = 5_000;

/**
 * The channel groups and machines of one application.
 *
 * @internal
 */
export class MachineRuntime {
  /** The application's own group, injected as `Orchestrator`. */
  readonly application: ApplicationGroup;
  private readonly named = new Map<string, ApplicationGroup>();
  private readonly behaviours = new Map<Machine, MachineBehaviour>();

  constructor(
    private readonly options: MachineOptions,
    private readonly surroundings: MachineSurroundings,
  ) {
    this.application = this.groupOf(options.name ?? 'application', options.group, surroundings.transport);
  }

  /** The group of that name, made when it is first asked for; the application's own without one. */
  group(name: string | undefined): ApplicationGroup {
    if (name === undefined) return this.application;
    const found =
      this.named.get(name) ?? this.groupOf(name, this.options.channelGroups?.[name], this.transportOf(name));
    this.named.set(name, found);
    return found;
  }

  /** Names of options for groups that no `forFeature` names. */
  unusedGroups(): readonly string[] {
    return Object.keys(this.options.channelGroups ?? {}).filter((name) => !this.named.has(name));
  }

  handle<M extends Machine>(machine: M, group: string | undefined): MachineHandle<M> {
    const orchestrator = this.group(group);
    return {
      machine,
      spawn: (options?: SpawnOptions) => orchestrator.spawn(machine, options),
      ref: (target: string | MachineAddress) => orchestrator.ref(machine, target),
      registerIn: (other: ChannelGroup) => this.registerIn(other, machine),
    };
  }

  /**
   * Opens all groups and registers the machines in theirs. If anything fails, no group is left open.
   *
   * @throws UnboundNamesError, EndpointTakenError, TransportUnavailableError, TransportTypeError and what else `Orchestrator.register` throws
   */
  async start(plans: readonly MachinePlan[]): Promise<void> {
    try {
      for (const group of this.groups()) await group.open();
      for (const group of this.keepers()) group.expectStore();
      for (const { behaviour, group } of plans) {
        this.behaviours.set(behaviour.machine, behaviour);
        this.registerIn(this.group(group), behaviour.machine);
      }
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  /** Waits until no event is queued and no action under way, as long as `drainTimeoutMs`. */
  async drain(): Promise<void> {
    const timeoutMs = this.options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS;
    const open = this.groups().filter(({ isOpen, released }) => isOpen && !released);
    await Promise.all(
      open.map(async (group) => {
        try {
          await group.drain({ timeoutMs });
        } catch (error) {
          this.surroundings.logger.warn(
            `Channel group '${group.name}' did not come to rest before the shutdown`,
            {
              group: group.name,
              error: String(error),
            },
          );
        }
      }),
    );
  }

  /** Lets durable machines go on, now that their store is open. */
  async startDurables(): Promise<void> {
    const { store } = this.surroundings;
    const { durable } = this.options;
    const options = typeof durable === 'object' ? durable : {};
    if (store !== undefined) for (const group of this.keepers()) await group.keepIn(store, options);
  }

  /** Groups that have durable machines: by default, those in which they have one owner among the processes. */
  private keepers(): readonly ApplicationGroup[] {
    const { durable } = this.options;
    if (this.surroundings.store === undefined || durable === false) return [];
    return this.groups().filter((group) => durable !== undefined || group.stats().cluster !== undefined);
  }

  /** Finishes what durable machines are doing, before their store is closed. */
  async closeDurables(): Promise<void> {
    await Promise.all(this.groups().map((group) => group.letDurablesGo()));
  }

  /** Releases all groups. */
  async release(): Promise<void> {
    await Promise.all(this.groups().map((group) => group.release()));
  }

  /** All groups of the application, its own first. */
  groups(): readonly ApplicationGroup[] {
    return [this.application, ...this.named.values()];
  }

  /** Where a group that `forFeature` names joins; undefined: it stays in its process. */
  private transportOf(name: string): ApplicationTransport | undefined {
    const { transport } = this.surroundings;
    const { groups = [], endpoint } = transport ?? {};
    if (transport === undefined || (groups !== 'all' && !groups.includes(name))) return undefined;
    return endpoint === undefined ? transport : { ...transport, endpoint: `${endpoint}~${name}` };
  }

  private groupOf(
    name: string,
    options: ApplicationGroupOptions = {},
    transport?: ApplicationTransport,
  ): ApplicationGroup {
    const { clock, ids, logger } = this.surroundings;
    const all = {
      ...options,
      ...(clock === undefined ? {} : { clock }),
      ...(ids === undefined ? {} : { ids }),
      logger,
    };
    return new ApplicationGroup(name, () => {
      const { pool } = this.options;
      if (transport === undefined) return globalOrchestrator(pool).createChannelGroup(name, all);
      const { groups: _groups, ...cluster } = transport;
      return createOrchestrator({ ...all, ...cluster, name, ...(pool === undefined ? {} : { pool }) });
    });
  }

  private registerIn<M extends Machine>(group: ChannelGroup, machine: M): RegisteredMachine<M> {
    const { listeners, actions, guards, activities, delays } =
      this.behaviours.get(machine) ?? noBehaviour(machine);
    const registered = group.register(machine, {
      actions,
      guards,
      activities,
      delays,
    } as MachineImplementations<M>);
    if (listeners.length > 0) {
      group.subscribe((record) => this.tell(listeners, record), { only: ['transition'] });
    }
    return registered;
  }

  private tell(listeners: readonly TransitionListener[], record: OrchestratorRecord): void {
    if (record.type !== 'transition') return;
    for (const listener of listeners) {
      if (listener.wants(record)) void this.tellOne(listener, record);
    }
  }

  private async tellOne(
    { label, tell }: TransitionListener,
    { machine, event, before, after }: Extract<OrchestratorRecord, { type: 'transition' }>,
  ): Promise<void> {
    try {
      await tell({ machine, event, before, after });
    } catch (error) {
      this.surroundings.logger.error(`${label} failed after a transition of machine '${machine.id}'`, {
        machine: machine.scopedId,
        error: String(error),
      });
    }
  }
}
