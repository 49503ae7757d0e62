import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import { ClusterUnreachableError, MachineAddressError } from '../cluster/cluster-errors.js';
import type { ClusterMember } from '../cluster/cluster-member.js';
import type { RemoteMachine } from '../cluster/remote/remote-machine.js';
import type { Target } from '../contexts.js';
import {
  DeadLettersUnavailableError,
  DurableUnavailableError,
  type DurableUnavailableReason,
} from '../durable/durable-errors.js';
import type { DurableMachines } from '../durable/durable-machines.js';
import type { GroupDurables } from '../durable/group-durables.js';
import type { KeptMachine } from '../durable/kept-machine.js';
import { KeptRef } from '../durable/kept-ref.js';
import {
  CeilingError,
  DuplicateIdError,
  DuplicateMachineError,
  GroupReleasedError,
  GroupUnreachableError,
  UnknownMachineError,
} from '../errors.js';
import { assertEvent } from '../event/assert-event.js';
import type { RealmState } from '../global/realm-state.js';
import type { MachineImplementations } from '../implementations.js';
import { Outcome, type InstanceDelivery, Start, type Stay } from '../instance/deliveries.js';
import { InstanceRef } from '../instance/instance-ref.js';
import { type Kinship, MachineInstance } from '../instance/machine-instance.js';
import { MachineKind } from '../instance/machine-kind.js';
import type { GroupAddress, MachineAddress } from '../machine-ref.js';
import { Meters } from '../observe/meters.js';
import { RecordHub } from '../observe/record-hub.js';
import type { ChannelGroup } from '../orchestrator.js';
import type { ChannelPool } from '../pool/channel-pool.js';
import type { Waiter } from '../pool/mailbox.js';
import { Endings } from './endings.js';
import { HandledMessages } from './handled-messages.js';
import type { GroupSettings } from './group-settings.js';
import { RestWatch } from './rest-watch.js';
import { Reception } from './reception.js';

/** Machines that are seen to before the event loop has a turn. */
export const AT_ONCE = 512;

/** What a group's machines share: who they are, how much is queued, and the ways between them. */
export class GroupCore {
  readonly instances = new Map<string, MachineInstance>();
  readonly systemIds = new Map<string, MachineInstance>();
  readonly records = new RecordHub();
  readonly meters: Meters;
  readonly endings: Endings;
  readonly reception: Reception;
  readonly handled: HandledMessages;
  readonly rest: RestWatch;
  /** Its place among other processes; undefined: it is alone. */
  cluster: ClusterMember | undefined = undefined;
  /** Its durable machines; undefined: it has no store for them. */
  durable: GroupDurables | undefined = undefined;
  /** Why it has none. */
  notDurableSince: DurableUnavailableReason = 'no-store';
  /** What users hold of the group. */
  facade!: ChannelGroup;
  released = false;
  queued = 0;
  running = 0;
  pendingRequests = 0;
  timers = 0;
  activities = 0;
  waitingSenders = 0;
  private readonly kinds = new Map<string, MachineKind>();
  private spawned = 0;

  constructor(
    readonly realm: RealmState,
    readonly groupId: number,
    readonly name: string,
    readonly settings: GroupSettings,
    readonly pool: ChannelPool,
  ) {
    this.meters = new Meters(realm.settings.enableMetrics);
    this.endings = new Endings(this);
    this.reception = new Reception(this);
    this.handled = new HandledMessages(settings.clock, settings);
    this.rest = new RestWatch(this);
  }

  get clock(): Clock {
    return this.settings.clock;
  }

  get logger(): Logger {
    return this.settings.logger;
  }

  /** @throws GroupReleasedError */
  assertOpen(): void {
    if (this.released) throw new GroupReleasedError(this.name, this.groupId);
  }

  register(machine: Machine, implementations: MachineImplementations | undefined): MachineKind {
    this.assertOpen();
    if (this.kinds.has(machine.id)) throw new DuplicateMachineError(machine.id, this.name);
    const kind = new MachineKind(machine, implementations, (id) => this.kinds.has(id));
    this.kinds.set(kind.id, kind);
    this.durable?.registered(kind);
    return kind;
  }

  /** @throws UnknownMachineError */
  kindOf(machine: Machine): MachineKind {
    const kind = this.kinds.get(machine.id);
    if (kind?.machine === machine) return kind;
    throw new UnknownMachineError(machine.id, this.name, 'definition');
  }

  kindNamed(id: string): MachineKind | undefined {
    return this.kinds.get(id);
  }

  get knowsAny(): boolean {
    return this.kinds.size > 0;
  }

  /** Why a machine of this group can't be durable. */
  notDurable(kind: MachineKind): Error {
    const type = this.cluster?.type ?? 'in-process';
    return new DurableUnavailableError(kind.id, this.notDurableSince, type);
  }

  /** Whom its dead letters are asked of. @throws GroupReleasedError, DeadLettersUnavailableError */
  letters(): DurableMachines {
    this.assertOpen();
    if (this.durable !== undefined) return this.durable.machines;
    throw new DeadLettersUnavailableError(
      this.name,
      this.notDurableSince,
      this.cluster?.type ?? 'in-process',
    );
  }

  /** What was registered under an id, as it runs. */
  definitionOf(id: string): Machine | undefined {
    return this.kinds.get(id)?.bound;
  }

  /** An id that nobody has chosen. */
  nextId(kind: MachineKind): string {
    let id: string;
    do id = `${kind.id.replaceAll('#', '_')}-${(this.spawned += 1)}`;
    while (this.instances.has(id));
    return id;
  }

  /** Puts a new machine's start into its mailbox. */
  begin(kind: MachineKind, id: string, kinship: Kinship | undefined, start: Start): MachineInstance {
    const { maxMachines } = this.settings;
    if (this.instances.has(id)) throw new DuplicateIdError(id, this.name);
    if (this.instances.size >= maxMachines) {
      throw new CeilingError('maxMachines', maxMachines, `Channel group '${this.name}'`);
    }
    const instance = new MachineInstance(this, kind, id, kinship);
    this.instances.set(id, instance);
    this.deliver(instance, { type: 'xstate.init', input: start.input }, start);
    return instance;
  }

  startChild(definition: string | Machine, kinship: Kinship, input: unknown): MachineInstance {
    const kind = this.childKind(definition);
    const id = `${kinship.parent.id}/${kinship.id.replaceAll('#', '_')}`;
    return this.begin(kind, id, kinship, new Start(input, nothing, nothing));
  }

  private childKind(definition: string | Machine): MachineKind {
    if (typeof definition !== 'string') {
      const kind = this.kinds.get(definition.id);
      return kind?.machine === definition ? kind : this.register(definition, undefined);
    }
    const kind = this.kinds.get(definition);
    if (kind === undefined) throw new UnknownMachineError(definition, this.name, 'definition');
    return kind;
  }

  /**
   * Whom a machine, or somebody outside (`from` is undefined then), means.
   *
   * @throws UnknownMachineError, MachineStoppedError, GroupUnreachableError, GroupReleasedError
   */
  resolve(target: Target, from: MachineInstance | undefined): MachineInstance {
    if (typeof target === 'string')
      return known(from?.lookUp(target) ?? this.instances.get(target), target, this);
    const instance = InstanceRef.instanceOf(target);
    if (instance === undefined) return this.resolveAddress(target as unknown as MachineAddress);
    const closed = instance.closedError();
    if (closed !== undefined) throw closed;
    if (!this.mayReach(instance.core))
      throw new GroupUnreachableError(instance.core.name, this.name, 'not-allowed');
    return instance;
  }

  /** As `resolve`, over all processes and stores. */
  receiverOf(
    target: Target,
    from: MachineInstance | undefined,
  ): MachineInstance | RemoteMachine | KeptMachine {
    if (typeof target !== 'string') assertTarget(target);
    const kept = typeof target === 'string' ? undefined : KeptRef.keptOf(target);
    if (kept !== undefined) return kept;
    if (this.cluster !== undefined) return this.cluster.receiverOf(target, from);
    return this.keptOf(target, from) ?? this.resolve(target, from);
  }

  /** Without other processes: a machine that is not at work may be a durable one. */
  private keptOf(target: Target, from: MachineInstance | undefined): KeptMachine | undefined {
    if (this.durable === undefined) return undefined;
    if (typeof target === 'string') {
      const here = from?.lookUp(target) ?? this.instances.get(target);
      return here === undefined ? this.durable.kept(target) : undefined;
    }
    if (InstanceRef.instanceOf(target) !== undefined) return undefined;
    const { cluster, group, machine } = target as MachineAddress;
    if (cluster !== undefined) return undefined;
    const core = this.reach(group);
    return core.instances.has(machine) ? undefined : core.durable?.kept(machine, this);
  }

  resolveAddress({ cluster, group, machine }: MachineAddress): MachineInstance {
    if (cluster !== undefined && cluster !== this.cluster?.cluster)
      throw new ClusterUnreachableError(cluster, this.cluster?.cluster);
    const core = this.reach(group);
    return known(core.instances.get(machine), machine, core);
  }

  /** @throws GroupUnreachableError */
  reach(group: string | number): GroupCore {
    const core = this.realm.find(group, this);
    if (!this.mayReach(core)) throw new GroupUnreachableError(group, this.name, 'not-allowed');
    return core;
  }

  mayReach(other: GroupCore): boolean {
    return other === this || other.settings.admits({ groupId: this.groupId, name: this.name });
  }

  /** From a step, a timer or an outcome: never waits. */
  deliver(instance: MachineInstance, event: EventObject, delivery: InstanceDelivery | undefined): void {
    this.queued += 1;
    this.pool.deliver(instance, event, delivery);
  }

  tellOutcome(
    instance: MachineInstance,
    outcome:
      | { readonly done: string; readonly output: unknown }
      | { readonly failed: string; readonly error: unknown },
    stay: Stay | undefined,
  ): void {
    if (instance.ended !== undefined) return;
    const event =
      'done' in outcome
        ? { type: `xstate.done.actor.${outcome.done}`, output: outcome.output, actorId: outcome.done }
        : { type: `xstate.error.actor.${outcome.failed}`, error: outcome.error, actorId: outcome.failed };
    this.deliver(instance, event, new Outcome(stay));
  }

  /** Sends an event to all machines of this process; their number, when all have accepted it. Those that end meanwhile are left out. */
  async broadcastHere(event: EventObject): Promise<number> {
    assertEvent(event, `every machine of ${this.name}`, this.settings.maxEventValues);
    const sends: Promise<number>[] = [];
    for (const instance of [...this.instances.values()]) {
      sends.push(this.reception.sendIfAtWork(instance, event));
      if (sends.length % AT_ONCE === 0) await this.pool.turns.next();
    }
    return (await Promise.all(sends)).reduce((sum, one) => sum + one, 0);
  }

  /** @throws ClusterUnreachableError, GroupUnreachableError (as rejections) */
  async broadcastTo({ cluster, group }: GroupAddress, event: EventObject): Promise<number> {
    if (this.cluster === undefined) throw new ClusterUnreachableError(cluster, undefined);
    if (cluster === this.cluster.cluster) return this.cluster.broadcastEverywhere(group, event);
    return this.cluster.broadcastAbroad(cluster, group, event);
  }

  /** Takes back what is still queued. */
  withdraw(instance: MachineInstance, delivery: InstanceDelivery): void {
    if (delivery.withdrawn || instance.ended !== undefined) return;
    this.queued -= 1;
    this.pool.withdraw(instance, delivery);
    this.checkRest();
  }

  /** Takes back what still waits for room. */
  leaveLine(waiter: Waiter | undefined): void {
    if (waiter === undefined || waiter.cancelled) return;
    waiter.cancelled = true;
    this.waitingSenders -= 1;
  }

  /** The asynchronous part of a step is over. */
  resume(instance: MachineInstance): void {
    this.pool.resume(instance);
    this.checkRest();
  }

  /** An ended machine leaves the group. */
  forget(instance: MachineInstance): void {
    if (this.instances.get(instance.id) === instance) this.instances.delete(instance.id);
    for (const [id, other] of this.systemIds) if (other === instance) this.systemIds.delete(id);
    const nameless = this.cluster?.machineEnded(instance.id);
    if (nameless !== undefined) this.awaitEnd(nameless);
  }

  /** Events that nobody will handle, and senders that nobody will let in, are told why. */
  emptyMailbox(instance: MachineInstance, reason: Error): void {
    const waiting = this.pool.remove(instance, (_event, delivery) => {
      this.queued -= 1;
      const given = delivery as InstanceDelivery | undefined;
      if (given?.kind === 'request') given.fail(reason);
      else if (given?.kind === 'start') given.failed(reason);
      else if (given?.kind === 'arrival') given.fail(reason);
    });
    for (const waiter of waiting) waiter.refused(reason);
  }

  awaitEnd(underWay: Promise<unknown>): void {
    this.endings.add(underWay);
  }

  checkRest(): void {
    if (this.queued === 0 && this.running === 0) this.rest.check();
  }
}

function known(instance: MachineInstance | undefined, id: string, core: GroupCore): MachineInstance {
  if (instance === undefined || instance.ended !== undefined)
    throw new UnknownMachineError(id, core.name, 'id');
  return instance;
}

function nothing(): void {}

/** @throws MachineAddressError */
function assertTarget(target: unknown): void {
  if (typeof target !== 'object' || target === null) throw new MachineAddressError(String(target));
}
