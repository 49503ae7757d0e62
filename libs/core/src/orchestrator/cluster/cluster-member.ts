import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Scheduler } from '../../ports/scheduler.js';
import type { Endpoint, FrameReceiver, Peer, Transport } from '../../ports/transport.js';
import { CeilingError, GroupReleasedError, mayBeElsewhere } from '../errors.js';
import type { GroupCore } from '../group/group-core.js';
import { InstanceRef } from '../instance/instance-ref.js';
import type { MachineInstance } from '../instance/machine-instance.js';
import type { MachineAddress } from '../machine-ref.js';
import type { Target } from '../contexts.js';
import { isClusterName } from './address.js';
import type { KeptMachine } from '../durable/kept-machine.js';
import { broadcastOver } from './broadcasts.js';
import { MachineAddressError } from './cluster-errors.js';
import type { ClusterLimits } from './cluster-options.js';
import { Abroad } from './gateway/abroad.js';
import { GATEWAY_MAGIC } from './gateway/words.js';
import { Arrivals } from './link/arrivals.js';
import { FrameMemory } from './link/frame-memory.js';
import type { IncomingLimits } from './link/incoming.js';
import { contextOver, type FrameSink, type LinkContext } from './link/link-context.js';
import { Links } from './link/links.js';
import type { Outgoing } from './link/outgoing.js';
import { LastingSeat } from './lasting-seat.js';
import { machinesIn, processesOf, troublesOf } from './cluster-reports.js';
import { directoryName, OwnNames } from './own-names.js';
import { Regain, tellLost } from './regain.js';
import type { RemoteMachine } from './remote/remote-machine.js';
import { RemoteRef } from './remote/remote-ref.js';
import { Remotes } from './remote/remotes.js';
import type { ClusterMachine, ClusterProcess, ClusterStatistics } from './cluster-statistics.js';
import { assertFits } from './wire/event-text.js';

/** How many windows of a sender may be parked: more means that it does not keep to its own. */
const WINDOWS_PARKED = 4;

/** Where a group joins. */
export interface Membership {
  readonly transport: Transport;
  readonly cluster: string;
  /** Name of this process in the cluster. */
  readonly endpoint: string;
  readonly limits: ClusterLimits;
  readonly scheduler: Scheduler;
}

/** A group's place in a cluster: the ways to the other processes, and the directory of machines. */
export class ClusterMember implements FrameReceiver {
  readonly names: OwnNames;
  private readonly regain: Regain;
  readonly abroad: Abroad;
  private readonly links: Links;
  private readonly remotes = new Remotes(this);
  private readonly arrivals: Arrivals;
  private readonly context: LinkContext;
  private leaving: Promise<void> | undefined = undefined;

  private constructor(
    readonly core: GroupCore,
    private readonly membership: Membership,
    readonly seat: LastingSeat,
  ) {
    this.arrivals = new Arrivals(core);
    this.context = {
      seat,
      scheduler: membership.scheduler,
      limits: membership.limits,
      group: core.name,
      memory: new FrameMemory(),
      probes: seat.mayForget ? { clock: core.clock, whileOpen: false } : undefined,
      waiting: 0,
      assertFits: (text) => assertFits(text, membership.limits.maxMessageBytes),
      linkClosed: (link) => this.links.forget(link),
    };
    this.names = new OwnNames(seat, core.name, (error, name) => this.unclaimFailed(error, name));
    this.regain = new Regain(core, this.names);
    const { cluster } = membership;
    const { names, arrivals, incomingLimits: limits } = this;
    const linkContext = (sink: FrameSink, closed: (link: Outgoing) => void): LinkContext =>
      contextOver(this.context, sink, closed, { clock: core.clock, whileOpen: true });
    const { scheduler } = membership;
    const { logger } = core;
    this.links = new Links(this.context, { seat, cluster, arrivals, limits, scheduler, logger });
    this.abroad = new Abroad({ core, seat, cluster, names, arrivals, limits, context: linkContext });
  }

  /** @throws EndpointTakenError, RegistryFullError, TransportUnavailableError (as rejections) */
  static async join(core: GroupCore, membership: Membership): Promise<ClusterMember> {
    let open = (_member: ClusterMember | undefined): void => {};
    const joined = new Promise<ClusterMember | undefined>((resolve) => (open = resolve));
    let member: ClusterMember | undefined;
    // A transport may hand frames over before the promise of its join settles.
    const receiver: FrameReceiver = {
      onFrame: (from, frame) =>
        member === undefined
          ? joined.then((there) => there?.onFrame(from, frame))
          : member.onFrame(from, frame),
      onPeer: (peer) =>
        member === undefined ? void joined.then((there) => there?.onPeer(peer)) : member.onPeer(peer),
    };
    const { transport, cluster, endpoint } = membership;
    const { clock, logger } = core;
    try {
      const seat = await LastingSeat.join({
        cluster,
        clock,
        logger,
        receiver,
        join: (hears) => transport.join({ cluster, endpoint, clock, logger }, hears),
        lost: (self) => member?.declaredDead(self),
        enter: (place) => (member === undefined ? Promise.resolve() : member.regain.enter(place)),
        regained: (place) => member?.regain.found(place),
      });
      member = new ClusterMember(core, membership, seat);
    } finally {
      open(member);
    }
    return member;
  }

  get transport(): Transport {
    return this.membership.transport;
  }

  /** Kind of the transport. */
  get type(): string {
    return this.membership.transport.type;
  }

  get cluster(): string {
    return this.membership.cluster;
  }

  onFrame(from: Endpoint, frame: Uint8Array): void | Promise<void> {
    return frame[0] === GATEWAY_MAGIC ? this.abroad.frame(from, frame) : this.links.to(from).frame(frame);
  }

  onPeer(peer: Peer): void {
    const { records } = this.core;
    const { endpoint, state, pid } = peer;
    if (state === 'lost') this.links.lose(endpoint);
    this.abroad.peer(peer);
    if (!records.wants('peer')) return;
    records.tell({
      type: 'peer',
      endpoint: endpoint.name,
      incarnation: endpoint.incarnation,
      state,
      pid,
    });
  }

  /** @throws GroupReleasedError */
  assertOpen(): void {
    this.core.assertOpen();
  }

  /** @throws CeilingError */
  assertMayWait(): void {
    const { maxWaitingSenders } = this.core.settings;
    if (this.context.waiting < maxWaitingSenders) return;
    throw new CeilingError('maxWaitingSenders', maxWaitingSenders, `Channel group '${this.core.name}'`);
  }

  /** So many more sends of a step may wait. */
  hasRoomToWait(count: number): boolean {
    return this.context.waiting + count <= this.core.settings.maxWaitingSenders;
  }

  /** A send stands in line before it has a link. */
  waits(count: number): void {
    this.context.waiting += count;
  }

  throttled(): void {
    this.core.meters.count('throttled', '');
  }

  /** @throws FrameTooLargeError */
  assertFits(text: string): void {
    this.context.assertFits(text);
  }

  /**
   * Whom a machine, or somebody outside, means; a machine that is not in this process is looked up when it is sent to.
   *
   * @throws MachineStoppedError, GroupUnreachableError, GroupReleasedError, ClusterUnreachableError, MachineAddressError
   */
  receiverOf(target: Target, from: MachineInstance | undefined): MachineInstance | RemoteMachine {
    const { core } = this;
    if (typeof target === 'string') {
      const found = from?.lookUp(target) ?? core.instances.get(target);
      return found?.ended === undefined && found !== undefined ? found : this.remote(core.name, target);
    }
    const remote = RemoteRef.remoteOf(target);
    if (remote !== undefined) return remote.here ?? remote;
    if (InstanceRef.instanceOf(target) !== undefined) return core.resolve(target, from);
    return this.atAddress(target as MachineAddress);
  }

  private atAddress(address: MachineAddress): MachineInstance | RemoteMachine {
    const { core } = this;
    const { cluster = this.cluster, group, machine } = address;
    if (typeof group === 'number' && cluster === this.cluster) return core.resolveAddress({ group, machine });
    if (!isClusterName(cluster) || !isClusterName(group) || typeof machine !== 'string' || machine === '')
      throw new MachineAddressError(`${cluster}/${group}/${machine}`);
    if (cluster !== this.cluster) return this.remote(group, machine, cluster);
    return this.instanceHere(group, machine) ?? this.remote(group, machine);
  }

  /** @throws GroupUnreachableError where a group of this process does not admit this one */
  instanceHere(group: string, id: string): MachineInstance | undefined {
    const { core } = this;
    const there = group === core.name ? core : this.otherGroup(group);
    const found = there?.instances.get(id);
    return found?.ended === undefined ? found : undefined;
  }

  private otherGroup(group: string): GroupCore | undefined {
    try {
      return this.core.reach(group);
    } catch (error) {
      if (mayBeElsewhere(error)) return undefined;
      throw error;
    }
  }

  remote(group: string, id: string, cluster?: string): RemoteMachine {
    return this.remotes.of(group, id, cluster);
  }

  /** Where a machine is now: the way to its process, it itself, or, where it is a durable one, to wherever it is at work; undefined: nowhere. */
  async locate(group: string, id: string): Promise<Outgoing | MachineInstance | KeptMachine | undefined> {
    const entry = await this.seat.locate(directoryName(group, id));
    if (entry === undefined) return this.core.durable?.find(group, id);
    if (entry.endpoint.incarnation === this.seat.self.incarnation) return this.instanceHere(group, id);
    return this.links.to(entry.endpoint).out;
  }

  /** Sends an event to every machine of a group, here and in the other processes; their number, when all have accepted it. */
  async broadcastEverywhere(group: string | number, event: EventObject): Promise<number> {
    const here = group === this.core.name ? this.core : this.groupHere(group);
    const heard = await (here?.broadcastHere(event) ?? 0);
    if (typeof group === 'number') return heard;
    const links = this.seat.peers().map(({ endpoint }) => this.links.to(endpoint).out);
    return heard + (await broadcastOver(this, links, group, event));
  }

  /** @throws GroupUnreachableError */
  private groupHere(group: string | number): GroupCore | undefined {
    return typeof group === 'number' ? this.core.reach(group) : this.otherGroup(group);
  }

  /**
   * As `broadcastEverywhere`, of a group of another cluster.
   *
   * @throws ClusterUnreachableError, GroupUnreachableError (as rejections)
   */
  async broadcastAbroad(cluster: string, group: string, event: EventObject): Promise<number> {
    return broadcastOver(this, await this.abroad.gates.processes(cluster), group, event);
  }

  /** What was sent to a remote machine, and nobody waits for, has failed. */
  reportUndelivered(target: RemoteMachine, event: EventObject, error: unknown): void {
    const { core } = this;
    core.meters.count('failed', '');
    core.logger.warn(error instanceof Error ? error.message : String(error), {
      group: core.name,
      machine: target.address,
      failure: 'undelivered',
    });
    if (core.records.wants('undelivered'))
      core.records.tell({ type: 'undelivered', to: target.address, event, error });
  }

  processes(): ClusterProcess[] {
    return processesOf(this.seat);
  }

  machineNames(cluster = this.cluster): Promise<ClusterMachine[]> {
    return cluster === this.cluster ? machinesIn(this.seat) : this.abroad.machineNames(cluster);
  }

  statistics(): ClusterStatistics {
    let [unaccepted, unfinished] = [0, 0];
    for (const { out } of [...this.links.all(), ...this.abroad.gates.links()]) {
      unaccepted += out.inFlight.unaccepted;
      unfinished += out.inFlight.unfinished;
    }
    const gateway = this.abroad.statistics();
    return {
      type: this.type,
      cluster: this.cluster,
      endpoint: this.seat.self.name,
      frames: this.seat.statistics(),
      unaccepted,
      unfinished,
      waiting: this.context.waiting,
      rejoins: this.seat.rejoins,
      ...(gateway === undefined ? {} : { gateway }),
    };
  }

  /** What is not well, in sentences. */
  troubles(): string[] {
    const { trouble } = this.seat;
    const own = trouble === undefined ? [] : [trouble];
    return [...own, ...troublesOf(this.seat, this.cluster, this.context.waiting), ...this.abroad.troubles()];
  }

  /** A machine of this process has ended. Settles when its name is free. */
  machineEnded(id: string): Promise<void> {
    return this.names.release(id);
  }

  /** Hands over what is still to be said, at most for so long, and leaves the cluster. */
  leave(timeoutMs: number): Promise<void> {
    return (this.leaving ??= this.#leave(timeoutMs));
  }

  async #leave(timeoutMs: number): Promise<void> {
    const { core } = this;
    const outs = [...this.links.all(), ...this.abroad.gates.links()].map(({ out }) => out);
    await new Promise<void>((resolve) => {
      const timer = core.clock.schedule(timeoutMs, resolve);
      void Promise.all(outs.map((out) => out.handedOver())).then(() => {
        timer.cancel();
        resolve();
      });
    });
    const reason = new GroupReleasedError(core.name, core.groupId);
    await this.abroad.close(reason);
    await this.seat.leave();
    for (const out of outs) out.close(reason, false);
    this.remotes.giveUp(reason);
  }

  private get incomingLimits(): IncomingLimits {
    const { maxUnaccepted, maxMessageBytes } = this.membership.limits;
    return { mostParked: maxUnaccepted * WINDOWS_PARKED, maxMessageBytes };
  }

  /** Others have taken this process out of the cluster: for them it is gone, and they for it. */
  private declaredDead(self: Endpoint): void {
    this.links.loseAll();
    this.abroad.anew();
    tellLost(this.core, self);
  }

  private unclaimFailed(error: unknown, name: string): void {
    this.core.logger.warn(
      `Name '${name}' could not be given back: ${error instanceof Error ? error.message : String(error)}`,
      { cluster: this.cluster, endpoint: this.seat.self.name },
    );
  }
}
