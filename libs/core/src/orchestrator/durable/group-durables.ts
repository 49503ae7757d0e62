import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
import type { InstanceStore } from '../../ports/instance-store.js';
import type { PartitionedTransport } from '../../ports/partitioned-transport.js';
import { askRemote } from '../cluster/remote/remote-ref.js';
import type { Target } from '../contexts.js';
import { DuplicateIdError, mayBeElsewhere, RequestCycleError } from '../errors.js';
import type { GroupCore } from '../group/group-core.js';
import type { MachineKind } from '../instance/machine-kind.js';
import type { EventResult, RequestOptions } from '../machine-ref.js';
import type { DurableStatistics } from '../statistics.js';
import { DurableVerbError } from './durable-errors.js';
import type { DurableFrame } from './durable-frame.js';
import type { DurableInstance } from './durable-instance.js';
import { assertDurable } from './durable-kind.js';
import { DurableMachines } from './durable-machines.js';
import type { DurableMachinesOptions } from './durable-options.js';
import type { DurableSurroundings } from './durable-surroundings.js';
import { KeptMachine, unwrapped } from './kept-machine.js';
import { KeptRef } from './kept-ref.js';

/** How durable machines of a group run. */
export type DurableOptions = Pick<
  DurableMachinesOptions,
  'tenant' | 'maxEffectAttempts' | 'effectRetryMs' | 'giveBackMs' | 'maxLength' | 'faults'
>;

/** Where the durable machines of a group are kept, and by what they are spread over processes. */
export interface DurableGrounds {
  readonly store: InstanceStore;
  readonly options: DurableOptions;
  /** undefined: they all live in this process. */
  readonly spread?: {
    readonly transport: PartitionedTransport;
    readonly cluster: string;
    readonly endpoint: string;
  };
}

/** The durable machines of a group, in the address space of all others. */
export class GroupDurables {
  readonly machines: DurableMachines;
  /** Ways to the durable machines of other groups. */
  private readonly others = new Map<string, Promise<DurableMachines>>();
  /** Ids that are being given away. */
  private readonly claimed = new Set<string>();
  private fresh = new Set<string>();

  private constructor(
    private readonly core: GroupCore,
    private readonly grounds: DurableGrounds,
  ) {
    this.machines = new DurableMachines(this.optionsFor(core.name), this.surroundings(true));
  }

  /**
   * The group has them from the beginning: what goes on while they start sends to others.
   *
   * @throws what `Transport.join` throws, StoreUnavailableError (as rejections)
   */
  static async start(core: GroupCore, grounds: DurableGrounds): Promise<void> {
    const durables = new GroupDurables(core, grounds);
    core.durable = durables;
    try {
      await durables.machines.start();
      core.cluster?.abroad.gates.keeps(true);
    } catch (error) {
      core.durable = undefined;
      await durables.machines.close();
      throw error;
    }
  }

  statistics(): DurableStatistics {
    const { machines } = this;
    return {
      atWork: machines.atWork().length,
      partitions: machines.partitions().length,
      deadLetters: machines.lettersMade,
    };
  }

  /** What is not well, in sentences. */
  troubles(): string[] {
    return this.machines.isAway
      ? ['durable machines: this process has lost its place in the cluster, and has not come back yet']
      : [];
  }

  /** A definition has become known: its machines go on with what was left. Several at a time need one look. */
  registered(kind: MachineKind): void {
    this.fresh.add(kind.id);
    if (this.fresh.size > 1) return;
    void Promise.resolve().then(async () => {
      const { fresh } = this;
      this.fresh = new Set();
      try {
        await this.machines.wakeKinds(fresh);
      } catch (error) {
        if (this.core.released) return;
        this.core.logger.error('Durable machines could not be woken; their next event or owner does it', {
          group: this.core.name,
          error: String(error),
        });
      }
    });
  }

  /** Gives an id to one machine only, durable or not. @throws DuplicateIdError */
  async claiming<T>(id: string, use: () => Promise<T>): Promise<T> {
    const { core, claimed } = this;
    if (claimed.has(id) || core.instances.has(id)) throw new DuplicateIdError(id, core.name);
    claimed.add(id);
    try {
      return await use();
    } finally {
      claimed.delete(id);
    }
  }

  /** @throws DuplicateIdError where a durable machine has the id */
  async assertFree(id: string): Promise<void> {
    if ((await this.machines.store.load(id, '')) !== undefined)
      throw new DuplicateIdError(id, this.core.name);
  }

  /** Settles when its first step is committed and its actions are done. */
  async begin(kind: MachineKind, id: string, input: unknown, messageId: string): Promise<void> {
    assertDurable(kind);
    const frame: DurableFrame = { kind: 'start', machine: id, definition: kind.id, messageId, input };
    try {
      await this.machines.ask(frame, { timeoutMs: this.core.settings.requestTimeoutMs });
    } catch (error) {
      throw unwrapped(error);
    }
  }

  /** One of this group as another one sees it, whether or not there is one. */
  kept(id: string, viewer: GroupCore = this.core): KeptMachine {
    return new KeptMachine(viewer, this.machines, id);
  }

  /** One that is there and has not ended. @throws GroupUnreachableError */
  async find(group: string, id: string): Promise<KeptMachine | undefined> {
    const home = group === this.core.name ? this.machines : await this.homeOf(group);
    const found = await home?.store.load(id, '');
    if (home === undefined || found === undefined || found.ended) return undefined;
    return new KeptMachine(this.core, home, id);
  }

  /** Finishes what is under way; everything else goes on elsewhere, or with the next start. */
  async close(): Promise<void> {
    this.core.cluster?.abroad.gates.keeps(false);
    await this.machines.close();
    for (const other of this.others.values()) {
      await other.then(
        (machines) => machines.close(),
        () => undefined,
      );
    }
  }

  /** The durable machines of another group: of this process, or, with a transport, a way to where they are. */
  private homeOf(group: string): Promise<DurableMachines | undefined> {
    if (this.grounds.spread === undefined) return Promise.resolve(this.homeHere(group));
    const there = this.others.get(group);
    if (there !== undefined) return there;
    const joining = this.joinOther(group);
    this.others.set(group, joining);
    joining.catch(() => this.others.delete(group));
    return joining;
  }

  private homeHere(group: string): DurableMachines | undefined {
    try {
      return this.core.reach(group).durable?.machines;
    } catch (error) {
      if (mayBeElsewhere(error)) return undefined;
      throw error;
    }
  }

  private async joinOther(group: string): Promise<DurableMachines> {
    const other = new DurableMachines(this.optionsFor(group), this.surroundings(false));
    await other.start();
    return other;
  }

  private optionsFor(group: string): DurableMachinesOptions {
    const { store, options, spread } = this.grounds;
    const { settings, records } = this.core;
    const { clock, logger, ids, actionTimeoutMs, requestTimeoutMs } = settings;
    return {
      ...options,
      store,
      group,
      clock,
      logger,
      ids,
      actionTimeoutMs: Math.ceil(actionTimeoutMs),
      requestTimeoutMs: Math.ceil(requestTimeoutMs),
      ...(spread === undefined
        ? {}
        : {
            transport: spread.transport,
            cluster: spread.cluster,
            name: group === this.core.name ? spread.endpoint : `${spread.endpoint}~${this.core.name}`,
          }),
      onEmit: (machine, event) => {
        if (records.wants('emitted'))
          records.tell({ type: 'emitted', machine: this.identityOf(machine), event });
      },
    };
  }

  private surroundings(serves: boolean): DurableSurroundings {
    const { core } = this;
    return {
      serves,
      definition: (id) => core.kindNamed(id),
      knowsAny: () => core.knowsAny,
      deliver: (to, event, messageId) => this.deliver(to, event, messageId),
      widen: (scope, instance) => Object.assign(scope, this.verbsOf(instance, scope)),
      stepped: (...step) => this.stepped(...step),
      undelivered: (machine, event, error) => this.undelivered(machine, event, error),
      admits: (name) => core.settings.admits({ groupId: ELSEWHERE, name }),
    };
  }

  /** Settles when the event is safe: committed or published where the machine is durable, accepted where it is not. */
  private async deliver(to: Target, event: EventObject, messageId: string): Promise<void> {
    const { core } = this;
    // It stays pending: whoever has the machine next sends it.
    if (core.released) return new Promise(() => {});
    const receiver =
      typeof to === 'string' && this.machines.isAtWork(to) ? this.kept(to) : core.receiverOf(to, undefined);
    if ('core' in receiver) await receiver.core.reception.send(receiver, event, messageId);
    else await receiver.send(event, messageId);
  }

  private stepped(
    instance: DurableInstance,
    event: EventObject,
    before: Snapshot | undefined,
    changed: boolean,
  ): void {
    const { records, meters } = this.core;
    const { snapshot, kind } = instance;
    meters.count('processed', kind.id);
    if (snapshot === undefined) return;
    const machine = this.identityOf(instance.id, kind.id);
    if (before === undefined) {
      if (event.type === 'xstate.init' && records.wants('spawned'))
        records.tell({ type: 'spawned', machine, snapshot });
    } else if (changed && records.wants('transition'))
      records.tell({ type: 'transition', machine, event, before, after: snapshot });
    if (snapshot.status !== 'active' && records.wants('stopped'))
      records.tell({ type: 'stopped', machine, reason: snapshot.status, snapshot });
  }

  private undelivered(machine: string, event: EventObject, error: unknown): void {
    const { meters, records, name } = this.core;
    meters.count('failed', '');
    if (records.wants('undelivered'))
      records.tell({ type: 'undelivered', to: `${name}/${machine}`, event, error });
  }

  private identityOf(
    id: string,
    definition = '',
  ): { readonly id: string; readonly definition: string; readonly scopedId: string } {
    return { id, definition, scopedId: `${this.core.name}/${id}` };
  }

  /** What a group adds to the contexts of durable actions and activities. */
  private verbsOf(instance: DurableInstance, scope: object): object {
    const { core } = this;
    const { id, kind } = instance;
    const send = (scope as { readonly send?: (to: Target, event: EventObject) => unknown }).send;
    const sendNow = (to: Target, event: EventObject): Promise<void> =>
      this.deliver(to, event, core.settings.ids.next());
    const refuse = (verb: string) => (): never => {
      throw new DurableVerbError(verb, id);
    };
    return {
      machine: this.identityOf(id, kind.id),
      group: { id: core.groupId, name: core.name },
      ref: new KeptRef(this.kept(id), kind.machine),
      parent: undefined,
      send: send ?? sendNow,
      sendSelf: (event: EventObject) => (send ?? sendNow)(id, event),
      sendAfter: refuse('sendAfter'),
      cancel: refuse('cancel'),
      request: (to: Target, event: EventObject, options: RequestOptions = {}) =>
        this.ask(instance, send !== undefined, to, event, options),
    };
  }

  /** @param holds whether the machine waits for the answer */
  private async ask(
    instance: DurableInstance,
    holds: boolean,
    to: Target,
    event: EventObject,
    options: RequestOptions,
  ): Promise<EventResult> {
    const receiver = this.core.receiverOf(to, undefined);
    const itself = receiver instanceof KeptMachine && receiver.address === `${this.core.name}/${instance.id}`;
    if (itself && holds) throw new RequestCycleError([instance.id, instance.id]);
    if ('core' in receiver) return receiver.core.reception.ask(receiver, event, options);
    if (receiver instanceof KeptMachine) return receiver.request(event, options, undefined);
    options.signal?.throwIfAborted();
    return askRemote(receiver, event, options, undefined).promise;
  }
}

/** Groups of other processes have no number here. */
const ELSEWHERE = 0;
