import type { Clock } from '../../../ports/clock.js';
import type { Logger } from '../../../ports/logger.js';
import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
import type { LinkContext } from '../link/link-context.js';
import { Inquiries } from './inquiries.js';
import { NobodyHere } from './nobody-here.js';
import { PublishedNames } from './published-names.js';
import { Relay } from './relay.js';
import { Side } from './side.js';
import { type Data, type Greeting, GATEWAY_MAGIC, readGatewayFrame, type Word } from './words.js';

/** What a stay needs of its gateway. */
export interface StayGround {
  readonly clock: Clock;
  readonly cluster: string;
  readonly localSeat: TransportSeat;
  readonly maxQueuedBytes: number;
  readonly logger: Logger;
  /** Context of links over the seat of the distributed cluster. */
  readonly linkContext: (seat: TransportSeat) => LinkContext;
  /** What the member in this process is told. */
  readonly toMember: (frame: Uint8Array) => void | Promise<void>;
  /** Somebody has heard of a later epoch of the own cluster's gateway. */
  readonly stale: (epoch: number) => void;
  readonly published: (names: number) => void;
}

/** One stay of a gateway in the distributed cluster, from joining to leaving. Nothing of it outlives it. */
export class Stay {
  /** What it says while it is active; undefined: it stands by. */
  greeting: Greeting | undefined = undefined;
  readonly local: Side;
  readonly distributed: Side;
  readonly relay: Relay;
  readonly inquiries: Inquiries;
  readonly names: PublishedNames;
  private readonly nobodyHere: NobodyHere;

  constructor(
    readonly seat: TransportSeat,
    private readonly ground: StayGround,
  ) {
    const { cluster, localSeat, maxQueuedBytes, logger, clock } = ground;
    const failed = (frame: Uint8Array, error: unknown): void => this.relay.failed(frame, error);
    const greeting = (): Greeting | undefined => this.greeting;
    this.local = new Side(localSeat, maxQueuedBytes, (frame) => ground.toMember(frame), failed);
    this.distributed = new Side(seat, maxQueuedBytes, undefined, failed);
    this.relay = new Relay(this.local, this.distributed, greeting, logger);
    this.inquiries = new Inquiries(this.local, this.distributed, this.relay, greeting, cluster, clock);
    this.names = new PublishedNames(seat, cluster, logger, (names) => ground.published(names));
    this.nobodyHere = new NobodyHere(ground.linkContext(seat), seat);
  }

  /** A word or frame of a member of the own cluster that is meant for its gateway. */
  fromLocal(from: Endpoint, word: Word | Data): void | Promise<void> {
    switch (word.kind) {
      case 'data':
        return this.relay.out(from, word);
      case 'open':
        return this.relay.openOut(from, word);
      case 'close':
        return this.relay.closeOut(from, word.route);
      case 'ask':
        return this.inquiries.fromLocal(from, word);
      case 'held':
        return this.names.told(from, word);
      case 'stale':
        return this.heardStale(word);
      default:
        return undefined;
    }
  }

  /** A frame from the distributed cluster. */
  fromDistributed(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    if (bytes[0] !== GATEWAY_MAGIC) return this.nobodyHere.frame(from, bytes);
    const word = readGatewayFrame(bytes);
    if (word === undefined || this.relay.isFormer(from)) return undefined;
    if (word.kind === 'data') return this.relay.in(from, word);
    return this.toldFromDistributed(from, word);
  }

  private toldFromDistributed(from: Endpoint, word: Word): void {
    switch (word.kind) {
      case 'open':
        return this.relay.openIn(from, word);
      case 'close':
        return this.relay.closeIn(from, word.route);
      case 'ask':
        return this.inquiries.fromDistributed(from, word);
      case 'answer':
      case 'failure':
        return this.inquiries.answered(from, word);
      case 'keeps':
        return this.inquiries.waysIn.told(from, word.group, word.keeps);
      case 'greeting':
        return this.relay.met(from, word);
      case 'stale':
        return this.heardStale(word);
      default:
        return undefined;
    }
  }

  /** Everybody on both sides is told. */
  begin(greeting: Greeting): void {
    this.greeting = greeting;
    this.local.greetAll(greeting);
    this.distributed.greetAll(greeting);
  }

  lostLocal(endpoint: Endpoint): void {
    this.relay.lostLocal(endpoint);
    this.local.lost(endpoint);
    this.names.lost(endpoint);
  }

  lostDistributed(endpoint: Endpoint): void {
    this.relay.lostDistributed(endpoint);
    this.inquiries.lostDistributed(endpoint);
    this.distributed.lost(endpoint);
    this.nobodyHere.lost(endpoint);
  }

  /** Gives everything back; never rejects. */
  async end(): Promise<void> {
    this.greeting = undefined;
    this.local.silence();
    this.distributed.silence();
    this.names.close();
    this.inquiries.end();
    this.relay.closeAll();
    try {
      await this.seat.leave();
    } catch (error) {
      this.ground.logger.warn(`The gateway could not leave the distributed cluster: ${String(error)}`, {
        cluster: this.ground.cluster,
      });
    }
  }

  private heardStale({ cluster, epoch }: Extract<Word, { kind: 'stale' }>): void {
    if (cluster === this.ground.cluster) this.ground.stale(epoch);
  }
}
