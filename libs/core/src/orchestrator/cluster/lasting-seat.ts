import { PeerLostError, TransportClosedError } from '../../errors/transport-errors.js';
import { OrchestratorOptionError } from '../errors.js';
import type { Cancellable, Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type {
  Endpoint,
  FrameReceiver,
  NamedEntry,
  Peer,
  TransportSeat,
  TransportStatistics,
} from '../../ports/transport.js';

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
  /** It is back as another incarnation. What is done here is done before anybody else may claim or look up a name; must not reject. */
  readonly regained: (seat: TransportSeat) => Promise<void>;
}

/** One stay in the cluster. */
interface Stay {
  readonly seat: TransportSeat;
  readonly term: { over: boolean };
}

/**
 * A place in a cluster that this process does not lose for good: where others have declared it dead since it stood still for too long, or it was given up since
 * the server has forgotten frames, it joins again by itself, as another incarnation. Meanwhile nothing is sent, and who claims or looks up a name waits.
 */
export class LastingSeat implements TransportSeat {
  private stay!: Stay;
  /** Settles when it is back, or left. */
  private back: Promise<void> | undefined = undefined;
  private pause: { readonly timer: Cancellable; readonly end: () => void } | undefined = undefined;
  private leaving: Promise<void> | undefined = undefined;
  /** Counters of former stays. */
  private former: Partial<TransportStatistics> = {};
  /** Why it could not come back at the last try. */
  private hindrance: string | undefined = undefined;
  /** How often it has come back. */
  rejoins = 0;

  private constructor(private readonly ground: LastingGround) {}

  /** @throws what `Transport.join` throws; OrchestratorOptionError where its frames are too small for the protocol (as rejections) */
  static async join(ground: LastingGround): Promise<LastingSeat> {
    const seat = new LastingSeat(ground);
    await seat.take();
    const { maxFrameBytes } = seat;
    if (maxFrameBytes >= LEAST_FRAME_BYTES) return seat;
    await seat.leave();
    const rule = `of the transport must be at least ${LEAST_FRAME_BYTES}: frames hold what processes tell each other beside events`;
    throw new OrchestratorOptionError('maxFrameBytes', rule, maxFrameBytes);
  }

  get self(): Endpoint {
    return this.stay.seat.self;
  }

  get maxFrameBytes(): number {
    return this.stay.seat.maxFrameBytes;
  }

  /** What is not well, as a sentence. */
  get trouble(): string | undefined {
    if (this.back === undefined) return undefined;
    const why = this.hindrance === undefined ? '' : `: ${this.hindrance}`;
    return `this process has lost its place in cluster '${this.ground.cluster}', and has not come back yet${why}`;
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    return this.present(to).trySend(to, frame);
  }

  async send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.present(to).send(to, frame, signal);
  }

  /** Whether the transport has a server that may forget frames which it took. */
  get mayForget(): boolean {
    return this.stay.seat.giveUp !== undefined;
  }

  /** What to do where frames of a sender turn out to be missing; undefined: no server can have forgotten them, so the sender is at fault. */
  whenMissing({ name }: Endpoint): ((problem: string) => void) | undefined {
    // Of the present stay: what is heard of a former one's links does not end another one.
    const { seat } = this.stay;
    if (seat.giveUp === undefined) return undefined;
    return (problem) =>
      seat.giveUp?.(`frames of '${name}' are missing, which the server may have forgotten: ${problem}`);
  }

  claim(name: string, about: string): Promise<void> {
    return this.lasting((seat) => seat.claim(name, about));
  }

  /** While it is away there is nothing to give back: its names went with its place. */
  async unclaim(name: string): Promise<void> {
    if (this.back === undefined) await this.stay.seat.unclaim(name);
  }

  locate(name: string): Promise<NamedEntry | undefined> {
    return this.lasting((seat) => seat.locate(name));
  }

  names(): Promise<readonly NamedEntry[]> {
    return this.lasting((seat) => seat.names());
  }

  peers(): readonly Peer[] {
    return this.back === undefined ? this.stay.seat.peers() : [];
  }

  statistics(): TransportStatistics {
    return added(this.stay.seat.statistics(), this.former);
  }

  leave(): Promise<void> {
    return (this.leaving ??= this.leaveNow());
  }

  private async leaveNow(): Promise<void> {
    this.pause?.timer.cancel();
    this.pause?.end();
    await this.back;
    await this.stay.seat.leave();
  }

  /** @throws PeerLostError while it is away: whoever is meant knows another incarnation */
  private present(to: Endpoint): TransportSeat {
    if (this.back !== undefined) throw new PeerLostError(to.name);
    return this.stay.seat;
  }

  /** Once more where the place was lost meanwhile. */
  private async lasting<T>(work: (seat: TransportSeat) => Promise<T>): Promise<T> {
    for (;;) {
      await this.back;
      const { seat } = this.stay;
      try {
        return await work(seat);
      } catch (error) {
        const isLost = error instanceof TransportClosedError && seat.closed !== undefined;
        if (!isLost || this.leaving !== undefined) throw error;
        await seat.closed;
      }
    }
  }

  private async take(): Promise<void> {
    const { receiver, join } = this.ground;
    const term = { over: false };
    // What a former stay has read and not yet handed over is for an incarnation that is gone.
    const isOver = (): boolean => term.over;
    const seat = await join({
      onFrame: (from, frame) => (isOver() ? undefined : receiver.onFrame(from, frame)),
      onPeer: (peer) => {
        if (!isOver()) receiver.onPeer(peer);
      },
    });
    const stay: Stay = { seat, term };
    this.stay = stay;
    void seat.closed?.then(() => this.ended(stay));
  }

  private ended(stay: Stay): void {
    stay.term.over = true;
    if (this.leaving !== undefined) return;
    this.former = added(stay.seat.statistics(), this.former);
    this.ground.lost(stay.seat.self);
    this.back ??= this.joinAgain();
  }

  private async joinAgain(): Promise<void> {
    const { cluster, logger, regained } = this.ground;
    while (this.leaving === undefined && this.stay.term.over) {
      try {
        await this.take();
        this.hindrance = undefined;
        await regained(this.stay.seat);
        if (this.stay.term.over) continue;
        this.rejoins += 1;
        const { name, incarnation } = this.self;
        logger.warn('This process has joined its cluster again', { cluster, endpoint: name, incarnation });
      } catch (error) {
        this.hindrance = error instanceof Error ? error.message : String(error);
        logger.warn(`This process could not join its cluster again; tried once more: ${this.hindrance}`, {
          cluster,
        });
        await this.rest();
      }
    }
    // In the same step as the last look: a stay that ends after it begins another way back.
    this.back = undefined;
  }

  private async rest(): Promise<void> {
    if (this.leaving !== undefined) return;
    await new Promise<void>((resolve) => {
      this.pause = { timer: this.ground.clock.schedule(PAUSE_MS, resolve), end: resolve };
    });
    this.pause = undefined;
  }
}

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
