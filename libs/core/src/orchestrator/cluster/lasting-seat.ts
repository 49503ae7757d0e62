import { PeerLostError, TransportClosedError } from '../../errors/transport-errors.js';
import { OrchestratorOptionError } from '../errors.js';
import { errorText } from '../../errors/error-text.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type {
  Endpoint,
  FrameReceiver,
  NamedEntry,
  Peer,
  TransportSeat,
  TransportStatistics,
} from '../../ports/transport.js';
import { LastingPlace, type Term } from './lasting-place.js';

/** A frame has room for remarks of every kind, and a piece for more than its own head. */
const LEAST_FRAME_BYTES = 256;
/** Milliseconds between two tries to come back. */
const PAUSE_MS = 1_000;

/** What a place that is lost and found again needs around it. */
export interface LastingGround {
  readonly cluster: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly receiver: FrameReceiver;
  readonly join: (receiver: FrameReceiver) => Promise<TransportSeat>;
  /** This process has lost its place: nothing of what it had under way under this incarnation goes on. */
  readonly lost: (self: Endpoint) => void;
  /**
   * It has a place as another incarnation. What is done here is done before anybody else may claim or look up a name; where it rejects, the place is left and
   * another one taken.
   */
  readonly enter: (seat: TransportSeat) => Promise<void>;
  /** It is back there. */
  readonly regained: (seat: TransportSeat) => void;
}

/**
 * A place in a cluster that this process does not lose for good ({@link LastingPlace}): where others have declared it dead since it stood still for too long, or it
 * was given up since the server has forgotten frames, it joins again by itself, as another incarnation. Meanwhile nothing is sent, and who claims or looks up a name waits.
 */
export class LastingSeat implements TransportSeat {
  private readonly place: LastingPlace<TransportSeat>;
  /** Counters of former stays. */
  private former: Partial<TransportStatistics> = {};
  /** The seat that is the last one of them. */
  private counted: TransportSeat | undefined = undefined;
  /** How often it has come back. */
  rejoins = 0;

  private constructor(private readonly ground: LastingGround) {
    const { clock, cluster, logger } = ground;
    this.place = new LastingPlace({
      clock,
      pauseMs: PAUSE_MS,
      take: (term) => this.take(term),
      enter: (seat, again) => (again ? ground.enter(seat) : Promise.resolve()),
      found: (seat, again) => (again ? this.isBack(seat) : undefined),
      lost: (seat) => {
        this.former = added(seat.statistics(), this.former);
        this.counted = seat;
        ground.lost(seat.self);
      },
      failed: (error) =>
        logger.warn(
          `This process could not join its cluster again; tried once more: ${errorText(error).message}`,
          {
            cluster,
          },
        ),
      closedError: () => new TransportClosedError(cluster, this.self.name),
    });
  }

  /** @throws what `Transport.join` throws; OrchestratorOptionError where its frames are too small for the protocol (as rejections) */
  static async join(ground: LastingGround): Promise<LastingSeat> {
    const seat = new LastingSeat(ground);
    await seat.place.begin();
    const { maxFrameBytes } = seat;
    if (maxFrameBytes >= LEAST_FRAME_BYTES) return seat;
    await seat.leave();
    const rule = `of the transport must be at least ${LEAST_FRAME_BYTES}: frames hold what processes tell each other beside events`;
    throw new OrchestratorOptionError('maxFrameBytes', rule, maxFrameBytes);
  }

  get self(): Endpoint {
    return this.latest.self;
  }

  get maxFrameBytes(): number {
    return this.latest.maxFrameBytes;
  }

  /** The place of the moment, which does not last; undefined: it is away. */
  get present(): TransportSeat | undefined {
    return this.place.entered;
  }

  /** What is not well, as a sentence. */
  get trouble(): string | undefined {
    const { isAway, hindrance } = this.place;
    if (!isAway) return undefined;
    const why = hindrance === undefined ? '' : `: ${errorText(hindrance).message}`;
    return `this process has lost its place in cluster '${this.ground.cluster}', and has not come back yet${why}`;
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    return this.way(to).trySend(to, frame);
  }

  async send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.way(to).send(to, frame, signal);
  }

  /** Whether the transport has a server that may forget frames which it took. */
  get mayForget(): boolean {
    return this.latest.giveUp !== undefined;
  }

  /** What to do where frames of a sender turn out to be missing; undefined: no server can have forgotten them, so the sender is at fault. */
  whenMissing({ name }: Endpoint): ((problem: string) => void) | undefined {
    // Of the present stay: what is heard of a former one's links does not end another one.
    const { latest } = this;
    if (latest.giveUp === undefined) return undefined;
    return (problem) =>
      latest.giveUp?.(`frames of '${name}' are missing, which the server may have forgotten: ${problem}`);
  }

  claim(name: string, about: string): Promise<void> {
    return this.place.within((seat) => seat.claim(name, about));
  }

  /** While it has no place there is nothing to give back: its names went with it. */
  async unclaim(name: string): Promise<void> {
    await this.place.present?.unclaim(name);
  }

  locate(name: string): Promise<NamedEntry | undefined> {
    return this.place.within((seat) => seat.locate(name));
  }

  names(): Promise<readonly NamedEntry[]> {
    return this.place.within((seat) => seat.names());
  }

  peers(): readonly Peer[] {
    return this.place.present?.peers() ?? [];
  }

  statistics(): TransportStatistics {
    const { latest } = this;
    return added(latest === this.counted ? NOTHING : latest.statistics(), this.former);
  }

  leave(): Promise<void> {
    return this.place.leave();
  }

  private get latest(): TransportSeat {
    return this.place.latest as TransportSeat;
  }

  /**
   * From when it has a place: whoever sends there waits for what it hears about that, also while names are still being claimed again.
   *
   * @throws PeerLostError while it has none: whoever is meant knows another incarnation
   */
  private way(to: Endpoint): TransportSeat {
    const { present } = this.place;
    if (present === undefined) throw new PeerLostError(to.name);
    return present;
  }

  private take(term: Term): Promise<TransportSeat> {
    const { receiver, join } = this.ground;
    // What a former stay has read and not yet handed over is for an incarnation that is gone.
    return join({
      onFrame: (from, frame) => (term.over ? undefined : receiver.onFrame(from, frame)),
      onPeer: (peer) => {
        if (!term.over) receiver.onPeer(peer);
      },
    });
  }

  private isBack(seat: TransportSeat): void {
    const { cluster, logger, regained } = this.ground;
    this.rejoins += 1;
    const { name, incarnation } = seat.self;
    logger.warn('This process has joined its cluster again', { cluster, endpoint: name, incarnation });
    regained(seat);
  }
}

const NOTHING: TransportStatistics = {
  framesSent: 0,
  framesReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  refused: 0,
  corrupt: 0,
  waiting: 0,
  peers: 0,
};

/** What is counted adds up; what is so now is that of the present stay. */
function added(now: TransportStatistics, former: Partial<TransportStatistics>): TransportStatistics {
  const sum = (name: keyof TransportStatistics): number => now[name] + (former[name] ?? 0);
  return {
    framesSent: sum('framesSent'),
    framesReceived: sum('framesReceived'),
    bytesSent: sum('bytesSent'),
    bytesReceived: sum('bytesReceived'),
    refused: sum('refused'),
    corrupt: sum('corrupt'),
    waiting: now.waiting,
    peers: now.peers,
  };
}
