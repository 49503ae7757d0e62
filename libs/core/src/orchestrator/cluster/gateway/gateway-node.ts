import { errorText } from '../../../errors/error-text.js';
import { NameTakenError, TransportClosedError } from '../../../errors/transport-errors.js';
import type { Cancellable, Clock } from '../../../ports/clock.js';
import type { Logger } from '../../../ports/logger.js';
import type { Endpoint, FrameReceiver, Peer, TransportSeat } from '../../../ports/transport.js';
import { ClusterUnreachableError } from '../cluster-errors.js';
import { failureText } from '../wire/failure-text.js';
import type { Gateway } from './gateway.js';
import {
  aboutAbroad,
  aboutAtHome,
  gatewayEpoch,
  gatewayLock,
  gatewayName,
  greetingAtHome,
  offerName,
} from './names.js';
import { Stay, type StayGround } from './stay.js';
import { type Data, type Greeting, ROUTE_OVERHEAD, type Word, wordFrame } from './words.js';

/** What is so of a gateway now, and what it has carried. */
export interface GatewayStatistics {
  /** `joining`: it has no place in the distributed cluster at the moment. */
  readonly state: 'joining' | 'standby' | 'active';
  /** Name of the distributed cluster. */
  readonly joins: string;
  /** undefined: it is not active. */
  readonly epoch: number | undefined;
  /** Pairs of processes that talk over it. */
  readonly routes: number;
  /** Machines of the own cluster that are listed in the distributed one. */
  readonly published: number;
  /** Frames and bytes into the own cluster, and out of it, since it joined. */
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes that wait for processes that have no room. */
  readonly queuedBytes: number;
}

const NOTHING = {
  routes: 0,
  published: 0,
  framesIn: 0,
  framesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  queuedBytes: 0,
};

/** What a gateway needs of the member that it stands beside. */
export interface NodeGround extends Pick<StayGround, 'linkContext' | 'toMember'> {
  readonly cluster: string;
  /** Name of this process. */
  readonly endpoint: string;
  readonly seat: TransportSeat;
  /** Its place in the own cluster at the moment, which is used only as long as that lasts: who waits for the next one can't be closed. undefined: it is lost. */
  readonly place: () => TransportSeat | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The highest epoch of the own cluster's gateway that the member has heard of. */
  readonly knownEpoch: () => number;
  /** The member in this process is greeted without a frame. */
  readonly greetMember: (greeting: Greeting) => void;
  /** The gateway of this process is not active any more. */
  readonly leftMember: () => void;
  readonly published: (names: number) => void;
}

/** A gateway in this process: stands by, takes over, carries, stands down. */
export class GatewayNode {
  private stay: Stay | undefined = undefined;
  private closing: Promise<void> | undefined = undefined;
  private timer: Cancellable | undefined = undefined;
  private looking: Promise<void> = Promise.resolve();
  private queued = false;
  private heardEpoch = 0;
  private rival: string | undefined = undefined;

  constructor(
    private readonly options: Gateway,
    private readonly ground: NodeGround,
  ) {}

  /**
   * Joins the distributed cluster; settles when it is active or stands by.
   *
   * @throws EndpointTakenError, RegistryFullError, TransportUnavailableError (as rejections)
   */
  async begin(): Promise<void> {
    const joined = this.looking.then(() => this.enter());
    // Who closes it meanwhile waits for this, and leaves what was joined.
    this.looking = joined.then(nothing, nothing);
    await joined;
    await this.look();
  }

  get isActive(): boolean {
    return this.stay?.greeting !== undefined;
  }

  statistics(): GatewayStatistics {
    const { joins } = this.options;
    if (this.stay === undefined) return { state: 'joining', joins, epoch: undefined, ...NOTHING };
    const { relay, names, local, distributed, greeting } = this.stay;
    return {
      state: greeting === undefined ? 'standby' : 'active',
      joins,
      epoch: greeting?.epoch,
      routes: relay.size,
      published: names.size,
      ...relay.counters,
      queuedBytes: local.queued + distributed.queued,
    };
  }

  /** What is not well, in sentences. */
  troubles(): string[] {
    const { cluster } = this.ground;
    const { joins } = this.options;
    if (this.rival !== undefined)
      return [
        `cluster '${cluster}' has a gateway to '${this.rival}', so that the one to '${joins}' only stands by`,
      ];
    if (this.stay === undefined) return [`the gateway has no place in cluster '${joins}'`];
    return [];
  }

  /** Whether what a member of the own cluster says is for the gateway, and not for the member in this process. */
  isFor(from: Endpoint, word: Word | Data): boolean {
    switch (word.kind) {
      case 'ask':
      case 'held':
      case 'stale':
        return true;
      case 'open':
        return word.toCluster !== this.ground.cluster;
      case 'data':
      case 'close':
        return this.stay?.relay.carries(from, word.route) === true;
      default:
        return false;
    }
  }

  fromLocal(from: Endpoint, word: Word | Data): void | Promise<void> {
    if (this.stay !== undefined) return this.stay.fromLocal(from, word);
    if (word.kind === 'ask') this.refuse(from, word);
    return undefined;
  }

  /** A process of the own cluster comes or goes. */
  peer({ endpoint, state }: Peer): void {
    const { stay } = this;
    if (state === 'lost') stay?.lostLocal(endpoint);
    else if (state === 'up') stay?.local.came(endpoint);
    if (state === 'lost' && !this.isActive) void this.look();
  }

  /** Looks whether it is needed, or still the one. One look at a time; a wish meanwhile is one more look. */
  look(): Promise<void> {
    if (this.queued) return this.looking;
    this.queued = true;
    return (this.looking = this.looking.then(() => this.lookOnce()));
  }

  /** This process has lost its place in the own cluster, so that nobody there reaches the gateway: another one may take over, or this one when it is back. */
  anew(): void {
    this.looking = this.looking.then(async () => {
      if (this.closing !== undefined) return;
      await this.standDown();
      this.lookLater();
    });
  }

  /** Settles when it holds nothing any more; a look that is under way ends first, since it may just be joining. */
  close(): Promise<void> {
    return (this.closing ??= this.looking.then(() => this.standDown()));
  }

  /** It has no place in the distributed cluster at the moment. */
  private refuse(to: Endpoint, { number, cluster }: Extract<Word, { kind: 'ask' }>): void {
    const { seat, cluster: own } = this.ground;
    const error = new ClusterUnreachableError(cluster, own, 'taking-over');
    const frame = wordFrame({ kind: 'failure', number, failure: JSON.parse(failureText(error)) });
    if (to.incarnation === seat.self.incarnation) void this.ground.toMember(frame);
    // Who can't be told is gone, and waits for nothing.
    else void seat.send(to, frame).catch(() => {});
  }

  private async lookOnce(): Promise<void> {
    this.queued = false;
    if (this.closing !== undefined) return;
    const local = this.ground.place();
    if (local === undefined) this.lookLater();
    else await this.lookNow(local);
  }

  private async lookNow(local: TransportSeat): Promise<void> {
    this.timer?.cancel();
    const wasActive = this.isActive;
    try {
      const stay = this.stay ?? (await this.enter());
      if (stay.greeting === undefined) await this.take(stay, local);
      else await this.verify(stay, stay.greeting);
    } catch (error) {
      this.ground.logger.warn(`The gateway could not look after its place: ${errorText(error).message}`, {
        cluster: this.ground.cluster,
        joins: this.options.joins,
      });
      if (error instanceof TransportClosedError) await this.standDown();
    }
    if (this.closing !== undefined) return;
    if (wasActive && this.stay === undefined) void this.look();
    else this.lookLater();
  }

  private lookLater(): void {
    this.timer?.cancel();
    this.timer = this.ground.clock.schedule(this.options.retryMs, () => void this.look());
  }

  private async enter(): Promise<Stay> {
    const stay = (this.stay = await this.join());
    await this.offer(stay);
    return stay;
  }

  /** Says on both sides that somebody may take over. Nothing but the reason of an error depends on it. */
  private async offer({ seat }: Stay): Promise<void> {
    const { logger, cluster } = this.ground;
    for (const place of [seat, this.ground.place()]) {
      try {
        await place?.claim(this.ownOffer, this.options.joins);
      } catch (error) {
        logger.debug(`The gateway could not say that it stands by: ${errorText(error).message}`, { cluster });
      }
    }
  }

  private get ownOffer(): string {
    return offerName(this.ground.cluster, this.ground.endpoint);
  }

  private async join(): Promise<Stay> {
    const { ground, options } = this;
    const { cluster, clock, logger } = ground;
    let enter = (_stay: Stay | undefined): void => {};
    const entered = new Promise<Stay | undefined>((resolve) => (enter = resolve));
    let stay: Stay | undefined;
    // A transport may hand frames over before the promise of its join settles.
    const receiver: FrameReceiver = {
      onFrame: (from, frame) =>
        stay === undefined
          ? entered.then((there) => there?.fromDistributed(from, frame))
          : stay.fromDistributed(from, frame),
      onPeer: (peer) =>
        stay === undefined
          ? void entered.then((there) => this.peerThere(there, peer))
          : this.peerThere(stay, peer),
    };
    try {
      const endpoint = `${cluster}.${ground.endpoint}`;
      const seat = await options.distributed.join(
        { cluster: options.joins, endpoint, clock, logger },
        receiver,
      );
      const { linkContext, toMember, published } = ground;
      const { maxQueuedBytes } = options;
      const stale = (epoch: number): void => this.heardStale(epoch);
      stay = new Stay(seat, {
        clock,
        cluster,
        localSeat: ground.seat,
        maxQueuedBytes,
        logger,
        linkContext,
        toMember,
        stale,
        published,
      });
      this.watch(seat);
    } finally {
      enter(stay);
    }
    return stay;
  }

  /** A seat that can be lost without a word of its own may say so by a promise. */
  private watch(seat: TransportSeat): void {
    const { closed } = seat as { readonly closed?: Promise<void> };
    void closed?.then(() => this.look());
  }

  private peerThere(stay: Stay | undefined, { endpoint, state }: Peer): void {
    if (stay === undefined) return;
    if (state === 'lost') stay.lostDistributed(endpoint);
    else if (state === 'up') stay.distributed.came(endpoint);
    if (state === 'lost' && !this.isActive) void this.look();
  }

  private async take(stay: Stay, local: TransportSeat): Promise<void> {
    const { ground, options } = this;
    const { cluster } = ground;
    const limit = Math.min(local.maxFrameBytes, stay.seat.maxFrameBytes) - ROUTE_OVERHEAD;
    const there = (await local.names()).filter(({ name }) => gatewayEpoch(name) > 0);
    this.rival = there
      .map(({ name, about }) => greetingAtHome(cluster, name, about)?.joins)
      .find((joins) => joins !== undefined && joins !== options.joins);
    if (this.rival !== undefined) return;
    const epochs = there.map(({ name }) => gatewayEpoch(name));
    const epoch = Math.max(this.heardEpoch, ground.knownEpoch(), 0, ...epochs) + 1;
    const greeting: Greeting = { cluster, joins: options.joins, epoch, limit };
    if (!(await this.claimed(stay, local, greeting))) return;
    stay.begin(greeting);
    ground.greetMember(greeting);
  }

  /** The lease first; then the name that members go by; then the lease again. `false`: another one has it; nothing is left behind. */
  private async claimed(stay: Stay, local: TransportSeat, greeting: Greeting): Promise<boolean> {
    const { cluster } = this.ground;
    const [lock, name] = [gatewayLock(cluster), gatewayName(greeting.epoch)];
    try {
      await stay.seat.claim(lock, aboutAbroad(greeting));
      await local.claim(name, aboutAtHome(greeting));
      const isStill = (await this.holds(stay)) && this.ground.place() === local;
      if (isStill && this.closing === undefined) return true;
    } catch (error) {
      await this.giveBack(stay.seat, lock);
      await this.giveBack(local, name);
      if (error instanceof NameTakenError) return false;
      throw error;
    }
    await this.giveBack(local, name);
    return false;
  }

  private async giveBack(seat: TransportSeat, name: string): Promise<void> {
    await seat.unclaim(name).catch((error: unknown) => {
      const { cluster, logger } = this.ground;
      logger.warn(`The gateway's name '${name}' could not be given back: ${errorText(error).message}`, {
        cluster,
      });
    });
  }

  private async verify(stay: Stay, { epoch }: Greeting): Promise<void> {
    if (!(await this.holds(stay)) || this.heardEpoch >= epoch) await this.standDown();
    else stay.names.goOn();
  }

  /** @throws TransportClosedError and whatever the look-up fails with (as rejections) */
  private async holds({ seat }: Stay): Promise<boolean> {
    const holder = await seat.locate(gatewayLock(this.ground.cluster));
    return holder?.endpoint.incarnation === seat.self.incarnation;
  }

  private heardStale(epoch: number): void {
    this.heardEpoch = Math.max(this.heardEpoch, epoch);
    void this.look();
  }

  /** Gives back what it holds on both sides. What comes next joins anew. */
  private async standDown(): Promise<void> {
    this.timer?.cancel();
    const { stay, ground } = this;
    this.stay = undefined;
    if (stay === undefined) return;
    const epoch = stay.greeting?.epoch;
    await stay.end();
    await this.giveBack(ground.seat, this.ownOffer);
    if (epoch === undefined) return;
    ground.leftMember();
    await this.giveBack(ground.seat, gatewayName(epoch));
  }
}

function nothing(): void {}
