import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Endpoint, Peer } from '../../../ports/transport.js';
import type { GroupCore } from '../../group/group-core.js';
import type { ClusterMachine } from '../cluster-statistics.js';
import { PeerProtocolError } from '../cluster-errors.js';
import type { LastingSeat } from '../lasting-seat.js';
import type { Arrivals } from '../link/arrivals.js';
import { Incoming, type IncomingLimits } from '../link/incoming.js';
import type { FrameSink, LinkContext } from '../link/link-context.js';
import { Outgoing } from '../link/outgoing.js';
import type { OwnNames } from '../own-names.js';
import { Gates } from './gates.js';
import type { Gateway } from './gateway.js';
import { GatewayNode, type GatewayStatistics } from './gateway-node.js';
import { OwnWay, type Way } from './way.js';
import { failureText } from '../wire/failure-text.js';
import { type Greeting, readGatewayFrame, type Word } from './words.js';

type Asked = Extract<Word, { kind: 'ask' }>;

/** What a member gives to its dealings with other clusters. */
export interface AbroadGround {
  readonly core: GroupCore;
  readonly seat: LastingSeat;
  readonly cluster: string;
  readonly names: OwnNames;
  readonly arrivals: Arrivals;
  readonly limits: IncomingLimits;
  /** The member's context, for links over another sink. */
  readonly context: (sink: FrameSink, closed: (link: Outgoing) => void) => LinkContext;
}

/** A member's dealings with other clusters: the gateways that it knows, and the one that it is. */
export class Abroad {
  readonly gates: Gates;
  private node: GatewayNode | undefined = undefined;

  constructor(private readonly ground: AbroadGround) {
    const { seat, cluster, names } = ground;
    this.gates = new Gates({
      clock: ground.core.clock,
      seat,
      cluster,
      linkOver: (sink, to, origin, closed) => this.linkOver(sink, to, origin, closed),
      held: () => names.all(),
      group: ground.core.name,
      keepsDurables: () => ground.core.durable !== undefined,
      ownWay: () => this.ownWay(),
      changed: (greeting, endpoint, state) => this.tell(greeting, endpoint, state),
    });
    names.onChange = (name, about) => this.gates.nameChanged(name, about);
  }

  /**
   * Makes this process a gateway. Settles when it is active or stands by.
   *
   * @throws EndpointTakenError, RegistryFullError, TransportUnavailableError (as rejections)
   */
  async open(gateway: Gateway): Promise<void> {
    const { core, seat, cluster, context } = this.ground;
    this.node = new GatewayNode(gateway, {
      cluster,
      endpoint: seat.self.name,
      seat,
      place: () => seat.present,
      clock: core.clock,
      logger: core.logger,
      linkContext: (sink) => context(sink, () => {}),
      toMember: (frame) => this.heardFromSelf(frame),
      knownEpoch: () => this.gates.fence.epochOf(cluster),
      greetMember: (greeting) => this.gates.greeted(seat.self, greeting),
      leftMember: () => this.gates.lost(seat.self),
      published: (names) => this.tellPublished(gateway.joins, names),
    });
    await this.node.begin();
  }

  frame(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    const word = readGatewayFrame(bytes);
    if (word === undefined) {
      this.ground.core.logger.warn(
        `Process '${from.name}' sent a frame of a gateway that can't be read. Run one version of @nestjs-orchestrator/core everywhere.`,
        { cluster: this.ground.cluster },
      );
      return undefined;
    }
    if (word.kind === 'ask' && word.cluster === this.ground.cluster) {
      void this.answerKept(from, word);
      return undefined;
    }
    if (this.node?.isFor(from, word) === true) return this.node.fromLocal(from, word);
    return this.gates.take(from, word);
  }

  peer(peer: Peer): void {
    if (peer.state === 'lost') this.gates.lost(peer.endpoint);
    this.node?.peer(peer);
  }

  /** Others have declared this process dead. */
  anew(): void {
    this.gates.anew();
    this.node?.anew();
  }

  /** A gateway of another cluster asks for a durable machine: this process leads to it wherever it is at work. */
  private async answerKept(from: Endpoint, { number, group, machine }: Asked): Promise<void> {
    const { core, seat } = this.ground;
    const { name, incarnation } = seat.self;
    try {
      const kept = await core.durable?.find(group, machine);
      const found = kept === undefined ? null : { endpoint: name, incarnation, limit: seat.maxFrameBytes };
      this.gates.tell(from, { kind: 'answer', number, found, more: false });
    } catch (error) {
      this.gates.tell(from, { kind: 'failure', number, failure: JSON.parse(failureText(error)) });
    }
  }

  /** Machines of another cluster that are listed. */
  async machineNames(cluster: string): Promise<ClusterMachine[]> {
    const { found } = await this.gates.list(cluster, 'names');
    return found.flatMap((entry) => {
      const [name, definition, endpoint] = (Array.isArray(entry) ? entry : []) as unknown[];
      const slash = typeof name === 'string' ? name.indexOf('/') : 0;
      if (typeof name !== 'string' || slash < 1) return [];
      const [group, id] = [name.slice(0, slash), name.slice(slash + 1)];
      return [{ cluster, group, id, definition: String(definition), endpoint: String(endpoint) }];
    });
  }

  statistics(): GatewayStatistics | undefined {
    return this.node?.statistics();
  }

  troubles(): string[] {
    return this.node?.troubles() ?? [];
  }

  async close(reason: Error): Promise<void> {
    await this.node?.close();
    this.gates.close(reason);
  }

  private linkOver(sink: FrameSink, to: Endpoint, cluster: string, closed: () => void): Incoming {
    const { arrivals, limits, context, core } = this.ground;
    const ended = (link: Outgoing): void => {
      if (!(link.closed instanceof PeerProtocolError)) closed();
      // Not now: a step's adoption may have found out that nobody is there.
      over.scheduler.soon(() => incoming.giveUpAsked());
    };
    const over = context(sink, ended);
    const out = new Outgoing(over, to);
    const refused = (problem: string, unread: boolean): void => {
      const error = new PeerProtocolError(to.name, problem);
      core.logger.error(error.message, { cluster, endpoint: to.name });
      out.close(error, !unread);
    };
    // Of the clusters between the two one may have forgotten them. What comes next goes over another route.
    const missing = (problem: string): void => {
      core.logger.warn(`Frames of '${to.name}' are missing, so that the route to it ends: ${problem}.`, {
        cluster,
        endpoint: to.name,
      });
      out.close(new PeerLostError(to.name), true);
    };
    const incoming = new Incoming(out, arrivals, limits, refused, cluster, missing);
    return incoming;
  }

  /** To the gateway in this process. */
  private ownWay(): Way {
    const { self } = this.ground.seat;
    return new OwnWay((frame) => {
      const word = readGatewayFrame(frame);
      if (this.node === undefined) throw new PeerLostError(self.name);
      return word === undefined ? undefined : this.node.fromLocal(self, word);
    });
  }

  private heardFromSelf(frame: Uint8Array): void | Promise<void> {
    const word = readGatewayFrame(frame);
    return word === undefined ? undefined : this.gates.take(this.ground.seat.self, word);
  }

  private tell({ cluster, joins, epoch }: Greeting, { name }: Endpoint, state: 'active' | 'lost'): void {
    const { records } = this.ground.core;
    if (records.wants('gateway'))
      records.tell({ type: 'gateway', state, cluster, joins, epoch, endpoint: name });
  }

  private tellPublished(joins: string, names: number): void {
    const { records } = this.ground.core;
    if (records.wants('published')) records.tell({ type: 'published', joins, names });
  }
}
