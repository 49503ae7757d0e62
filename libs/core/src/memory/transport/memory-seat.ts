import { FrameTooLargeError, PeerLostError, TransportClosedError } from '../../errors/transport-errors.js';
import type { Scheduler } from '../../ports/scheduler.js';
import type {
  Endpoint,
  FrameReceiver,
  JoinOptions,
  NamedEntry,
  Peer,
  PeerState,
  TransportSeat,
  TransportStatistics,
} from '../../ports/transport.js';
import type { Lane, WaitingFrame } from './lane.js';
import type { MemoryCluster } from './memory-cluster.js';

/** Frames of one lane that are handed over before the event loop has a turn. */
const AT_ONCE = 256;

/** One endpoint of a {@link MemoryCluster}. */
export class MemorySeat implements TransportSeat {
  readonly self: Endpoint;
  readonly maxFrameBytes: number;
  /** A test holds it: it neither takes frames nor is it gone. */
  stalled = false;
  /** Settles when it was left, or the others have declared it dead. */
  readonly closed: Promise<void>;
  private tellClosed!: () => void;
  private gone = false;
  private leaving: Promise<void> | undefined = undefined;
  private framesSent = 0;
  private framesReceived = 0;
  private bytesSent = 0;
  private bytesReceived = 0;
  private refused = 0;
  /** Those that were used, by incarnation of the receiver. */
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly cluster: MemoryCluster,
    private readonly options: JoinOptions,
    private readonly receiver: FrameReceiver,
    incarnation: string,
    private readonly scheduler: Scheduler,
  ) {
    this.self = { name: options.endpoint, incarnation };
    this.maxFrameBytes = cluster.limits.maxFrameBytes;
    this.closed = new Promise((resolve) => (this.tellClosed = resolve));
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    const lane = this.laneTo(to, frame);
    if (lane.waiting > 0 || !lane.hasRoomFor(frame.length)) {
      this.refused += 1;
      return false;
    }
    this.sent(frame);
    lane.put(new Uint8Array(frame));
    lane.receiver.wake(lane);
    return true;
  }

  async send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.trySend(to, frame)) return;
    const lane = this.laneTo(to, frame);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => signal?.removeEventListener('abort', onAbort);
      const waiting: WaitingFrame = {
        frame: new Uint8Array(frame),
        cancelled: false,
        taken: () => {
          leave();
          this.sent(frame);
          resolve();
        },
        refused: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiting.cancelled = true;
        lane.waiting -= 1;
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      lane.waiting += 1;
      lane.line.push(waiting);
    });
  }

  async claim(name: string, about: string): Promise<void> {
    this.assertThere();
    this.cluster.claim(name, about, this.self);
  }

  async unclaim(name: string): Promise<void> {
    this.cluster.unclaim(name, this.self);
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    this.assertThere();
    return this.cluster.locate(name);
  }

  async names(): Promise<readonly NamedEntry[]> {
    this.assertThere();
    return this.cluster.names();
  }

  peers(): readonly Peer[] {
    return this.gone ? [] : this.cluster.peersOf(this);
  }

  statistics(): TransportStatistics {
    const { framesSent, framesReceived, bytesSent, bytesReceived, refused } = this;
    return {
      framesSent,
      framesReceived,
      bytesSent,
      bytesReceived,
      refused,
      waiting: this.cluster.lanesFrom(this).reduce((sum, { waiting }) => sum + waiting, 0),
      corrupt: 0,
      peers: this.peers().length,
    };
  }

  leave(): Promise<void> {
    this.leaving ??= Promise.resolve();
    this.end();
    this.tellClosed();
    return this.leaving;
  }

  /** The others have declared it dead, and it lives: it hears that they are gone, and that it has no place any more. */
  expel(): void {
    if (this.gone) return;
    const others = this.peers();
    this.end();
    for (const peer of others) this.receiver.onPeer({ ...peer, state: 'lost' });
    this.tellClosed();
  }

  /** Leaves, or dies: to others it is the same. */
  end(): void {
    if (this.gone) return;
    this.gone = true;
    this.cluster.remove(this, this.closedError());
  }

  stall(stalled: boolean): void {
    if (this.gone || this.stalled === stalled) return;
    this.stalled = stalled;
    this.cluster.tellOthers(this, stalled ? 'suspect' : 'up');
    if (!stalled) for (const lane of this.cluster.lanesTo(this)) this.wake(lane);
  }

  /** There is something to do in a lane to this endpoint. */
  wake(lane: Lane): void {
    this.scheduler.soon(() => this.run(lane));
  }

  hearOf(endpoint: Endpoint, state: PeerState): void {
    this.scheduler.soon(() => {
      if (!this.gone) this.receiver.onPeer({ endpoint, state });
    });
  }

  lostError(): PeerLostError {
    return new PeerLostError(this.self.name);
  }

  private run(lane: Lane): void {
    for (let left = AT_ONCE; lane.moves && !this.stalled && !this.gone; left -= 1) {
      if (left === 0) {
        this.scheduler.nextTurn(() => this.run(lane));
        return;
      }
      const frame = lane.take();
      if (frame === undefined) {
        this.laneIsEmpty(lane);
        return;
      }
      this.framesReceived += 1;
      this.bytesReceived += frame.length;
      this.hand(lane, frame);
    }
  }

  private hand(lane: Lane, frame: Uint8Array): void {
    try {
      const held = this.receiver.onFrame(lane.sender.self, frame);
      if (held === undefined) return;
      lane.busy = true;
      const goOn = (): void => {
        lane.busy = false;
        this.run(lane);
      };
      held.then(goOn, (error: unknown) => {
        this.report(error);
        goOn();
      });
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    this.options.logger.error(
      `A frame was lost, since its receiver failed: ${error instanceof Error ? error.message : String(error)}`,
      { cluster: this.cluster.name, endpoint: this.self.name },
    );
  }

  private laneIsEmpty(lane: Lane): void {
    if (!lane.senderIsGone) return;
    lane.senderIsGone = false;
    this.cluster.forget(lane);
    this.receiver.onPeer({ endpoint: lane.sender.self, state: 'lost' });
  }

  /** @throws FrameTooLargeError, PeerLostError, TransportClosedError */
  private laneTo(to: Endpoint, frame: Uint8Array): Lane {
    this.assertThere();
    if (frame.length > this.maxFrameBytes)
      throw new FrameTooLargeError(frame.length, this.maxFrameBytes, 'maxFrameBytes');
    const known = this.lanes.get(to.incarnation);
    if (known !== undefined && known.receiver === this.cluster.find(to)) return known;
    this.lanes.delete(to.incarnation);
    const receiver = this.cluster.find(to);
    if (receiver === undefined) throw new PeerLostError(to.name);
    const lane = this.cluster.lane(this, receiver);
    this.lanes.set(to.incarnation, lane);
    return lane;
  }

  private sent(frame: Uint8Array): void {
    this.framesSent += 1;
    this.bytesSent += frame.length;
  }

  private assertThere(): void {
    if (this.gone) throw this.closedError();
  }

  private closedError(): TransportClosedError {
    return new TransportClosedError(this.cluster.name, this.self.name);
  }
}
