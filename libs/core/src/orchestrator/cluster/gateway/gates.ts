import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Clock } from '../../../ports/clock.js';
import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
import { ClusterUnreachableError } from '../cluster-errors.js';
import type { Incoming } from '../link/incoming.js';
import type { Outgoing } from '../link/outgoing.js';
import { Fence } from './fence.js';
import { Gate } from './gate.js';
import {
  gatewayEpoch,
  gatewayLock,
  greetingAbroad,
  greetingAtHome,
  isOffer,
  lockedCluster,
} from './names.js';
import type { LinkOver } from './route.js';
import type { Way } from './way.js';
import { type Data, type Greeting, type HeldName, placeIn, type Word, wordFrame } from './words.js';

/** Gateways that a frame comes through at most. */
const MOST_HOPS = 2;

/** Where the gates of a member stand. */
export interface GateGround {
  readonly clock: Clock;
  readonly seat: TransportSeat;
  readonly cluster: string;
  readonly linkOver: LinkOver;
  /** Names that this process holds, with what it said about them. */
  held(): HeldName[];
  /** Whether this process keeps durable machines; of which group. */
  readonly group: string;
  keepsDurables(): boolean;
  /** The way to the gateway in this process. */
  ownWay(): Way;
  /** A gateway has taken over, or is gone. */
  changed(greeting: Greeting, endpoint: Endpoint, state: 'active' | 'lost'): void;
}

/** The gateways that a member knows: the one of its own cluster, and those of the clusters that are joined to it. */
export class Gates {
  readonly fence = new Fence();
  private readonly byCluster = new Map<string, Gate>();
  private readonly byEndpoint = new Map<string, Gate>();
  private routes = 0;

  constructor(private readonly ground: GateGround) {}

  get size(): number {
    let routes = 0;
    for (const gate of this.byCluster.values()) routes += gate.size;
    return routes;
  }

  /** All links over gateways. */
  links(): Incoming[] {
    return [...this.byCluster.values()].flatMap((gate) => gate.links());
  }

  /** What a gateway says. What comes from a former one is dropped. */
  take(from: Endpoint, word: Word | Data): void | Promise<void> {
    if (word.kind === 'greeting') {
      this.greeted(from, word);
      return undefined;
    }
    const gate = this.byEndpoint.get(from.incarnation);
    if (gate !== undefined) return heard(gate, word);
    this.heardFromStranger(from, word);
    return undefined;
  }

  /** A gateway that has not greeted, as far as is known here: nothing comes of a route over it. By the directory it may be met. */
  private heardFromStranger(from: Endpoint, word: Word | Data): void {
    if (word.kind === 'open') this.meet(from);
    if (word.kind === 'open' || word.kind === 'data') this.say(from, { kind: 'close', route: word.route });
  }

  /** Answers a gateway that is met, and nobody else. Another one may be a gateway whose greeting was forgotten: it asks again. */
  tell(to: Endpoint, word: Word): void {
    const gate = this.byEndpoint.get(to.incarnation);
    if (gate === undefined) this.meet(to);
    else gate.tell(word);
  }

  greeted(from: Endpoint, greeting: Greeting): void {
    const { cluster, joins, epoch } = greeting;
    if (cluster !== this.ground.cluster && joins !== this.ground.cluster) return;
    const meeting = this.fence.meet(cluster, epoch, from.incarnation);
    if (meeting === 'stale') this.tellStale(from, cluster);
    if (meeting !== 'new') return;
    const former = this.byCluster.get(cluster);
    if (former !== undefined) this.forget(former, new PeerLostError(former.endpoint.name));
    const gate = new Gate(
      greeting,
      from,
      this.wayTo(from),
      () => `${this.ground.seat.self.incarnation}.${(this.routes += 1)}`,
      this.ground.linkOver,
      this.ground.clock,
    );
    this.byCluster.set(cluster, gate);
    this.byEndpoint.set(from.incarnation, gate);
    if (cluster === this.ground.cluster) this.tellHeld(gate, true, this.ground.held(), []);
    else if (this.ground.keepsDurables()) this.tellKeeps(gate, true);
    this.ground.changed(greeting, from, 'active');
  }

  lost({ incarnation, name }: Endpoint): void {
    const gate = this.byEndpoint.get(incarnation);
    if (gate === undefined) return;
    this.fence.lose(incarnation);
    this.forget(gate, new PeerLostError(name));
    this.ground.changed(gate.greeting, gate.endpoint, 'lost');
  }

  /** Others have declared this process dead: no gateway knows it any more. */
  anew(): void {
    for (const gate of [...this.byCluster.values()]) this.lost(gate.endpoint);
    this.fence.anew();
  }

  /** This process keeps durable machines from now on, or does not any more. Whoever leads here from another cluster is told. */
  keeps(keeps: boolean): void {
    for (const gate of this.byCluster.values())
      if (gate.greeting.cluster !== this.ground.cluster) this.tellKeeps(gate, keeps);
  }

  private tellKeeps(gate: Gate, keeps: boolean): void {
    gate.tell({ kind: 'keeps', group: this.ground.group, keeps });
  }

  /** This process holds a name, or does not any more. */
  nameChanged(name: string, about: string | undefined): void {
    const gate = this.byCluster.get(this.ground.cluster);
    if (gate === undefined) return;
    if (about === undefined) this.tellHeld(gate, false, [], [name]);
    else this.tellHeld(gate, false, [[name, about]], []);
  }

  /**
   * The way to a machine of another cluster; undefined: there is no such machine.
   *
   * @throws ClusterUnreachableError, PeerLostError, TransportUnavailableError (as rejections)
   */
  async locate(cluster: string, group: string, machine: string): Promise<Outgoing | undefined> {
    const gate = await this.gateTo(cluster);
    const place = placeIn(await gate.ask({ about: 'machine', cluster, group, machine, hops: 0 }));
    return place === undefined ? undefined : gate.routeTo(cluster, place);
  }

  /** Ways to all processes of another cluster. */
  async processes(cluster: string): Promise<Outgoing[]> {
    const { gate, found } = await this.list(cluster, 'processes');
    return found.flatMap((each) => {
      const place = placeIn(each);
      return place === undefined ? [] : [gate.routeTo(cluster, place)];
    });
  }

  /** What is asked for as a list. */
  async list(
    cluster: string,
    about: 'processes' | 'names',
  ): Promise<{ readonly gate: Gate; readonly found: readonly unknown[] }> {
    const gate = await this.gateTo(cluster);
    const found = await gate.ask({ about, cluster, group: '', machine: '', hops: 0 });
    return { gate, found: Array.isArray(found) ? (found as unknown[]) : [] };
  }

  close(reason: Error): void {
    for (const gate of this.byCluster.values()) this.forget(gate, reason);
  }

  private async gateTo(cluster: string): Promise<Gate> {
    const known = this.known(cluster);
    if (known !== undefined) return known;
    const mayCome = await this.lookUp(cluster);
    const found = this.known(cluster);
    if (found !== undefined) return found;
    const own = this.ground.cluster;
    const wasThere = this.fence.epochOf(cluster) > 0 || this.fence.epochOf(own) > 0;
    throw new ClusterUnreachableError(cluster, own, mayCome ? 'taking-over' : 'no-gateway', wasThere);
  }

  /** The gateway of that cluster, where it is joined to the own one; else the way out. */
  private known(cluster: string): Gate | undefined {
    return this.byCluster.get(cluster) ?? this.byCluster.get(this.ground.cluster);
  }

  /** A gateway that has not greeted this process yet, or not any more. Whether there may be one soon. */
  private async lookUp(cluster: string): Promise<boolean> {
    const { seat, cluster: own } = this.ground;
    const joined = await seat.locate(gatewayLock(cluster));
    if (joined !== undefined) {
      this.found(joined.endpoint, greetingAbroad(cluster, own, joined.about));
      return true;
    }
    const names = await seat.names();
    const latest = names
      .filter(({ name }) => gatewayEpoch(name) > 0)
      .toSorted((one, two) => gatewayEpoch(two.name) - gatewayEpoch(one.name))[0];
    if (latest !== undefined) this.found(latest.endpoint, greetingAtHome(own, latest.name, latest.about));
    return latest !== undefined || names.some(({ name }) => isOffer(cluster, name) || isOffer(own, name));
  }

  /** Greeted by what the directory says of it, if it is a gateway. */
  private meet(endpoint: Endpoint): void {
    const { seat, cluster: own } = this.ground;
    const look = async (): Promise<void> => {
      for (const { name, about, endpoint: holder } of await seat.names()) {
        if (holder.incarnation !== endpoint.incarnation) continue;
        const locked = lockedCluster(name);
        if (locked !== undefined) this.found(holder, greetingAbroad(locked, own, about));
        else if (gatewayEpoch(name) > 0) this.found(holder, greetingAtHome(own, name, about));
      }
    };
    // Where the directory can't be read now, it is when the gateway asks again.
    look().catch(() => {});
  }

  /** The holder of a name may have gone while it was looked up. */
  private found(endpoint: Endpoint, greeting: Greeting | undefined): void {
    const { seat } = this.ground;
    const lives =
      endpoint.incarnation === seat.self.incarnation ||
      seat.peers().some((peer) => peer.endpoint.incarnation === endpoint.incarnation);
    if (lives && greeting !== undefined) this.greeted(endpoint, greeting);
  }

  private wayTo(endpoint: Endpoint): Way {
    const { seat } = this.ground;
    if (endpoint.incarnation === seat.self.incarnation) return this.ground.ownWay();
    return {
      trySend: (frame) => seat.trySend(endpoint, frame),
      send: (frame, signal) => seat.send(endpoint, frame, signal),
    };
  }

  private tellStale(to: Endpoint, cluster: string): void {
    this.say(to, { kind: 'stale', cluster, epoch: this.fence.epochOf(cluster) });
  }

  /** Says something to a process that need be no gateway that is met. */
  private say(to: Endpoint, word: Word): void {
    const frame = wordFrame(word);
    const way = this.wayTo(to);
    try {
      // Where it can't be told, it is gone, and what came from it with it.
      if (!way.trySend(frame)) way.send(frame).catch(() => {});
    } catch {
      // It is gone: there is nobody left to tell.
    }
  }

  private tellHeld(gate: Gate, all: boolean, names: readonly HeldName[], gone: readonly string[]): void {
    let part: HeldName[] = [];
    let [units, first] = [0, all];
    const leave = (): void => {
      gate.tell({ kind: 'held', all: first, names: part, gone });
      [part, units, first] = [[], 0, false];
    };
    for (const held of names) {
      part.push(held);
      units += held[0].length + held[1].length + PAIR_OVERHEAD;
      if (units * WORST_JSON_BYTES > gate.greeting.limit) leave();
    }
    if (part.length > 0 || first || gone.length > 0) leave();
  }

  private forget(gate: Gate, reason: Error): void {
    const { cluster } = gate.greeting;
    if (this.byCluster.get(cluster) === gate) this.byCluster.delete(cluster);
    this.byEndpoint.delete(gate.endpoint.incarnation);
    gate.close(reason);
  }
}

/** Characters of JSON around two texts. */
const PAIR_OVERHEAD = 8;
/** Bytes of a character of a name in JSON, with room to spare: the part that is too long is the last one that was added. */
const WORST_JSON_BYTES = 8;

function heard(gate: Gate, word: Word | Data): void | Promise<void> {
  switch (word.kind) {
    case 'data':
      return gate.data(word.route, word.frame);
    case 'answer':
      return gate.answered(word.number, word.found, word.more);
    case 'failure':
      return gate.failed(word.number, word.failure);
    case 'open':
      if (word.hops <= MOST_HOPS) gate.openedThere(word);
      return undefined;
    case 'close':
      return gate.closedThere(word.route);
    default:
      return undefined;
  }
}
