import { FrameTooLargeError, PeerLostError, TransportClosedError } from '@nestjs-orchestrator/core';
import type {
  Cancellable,
  Endpoint,
  FrameReceiver,
  JoinOptions,
  NamedEntry,
  Peer as PeerView,
  TransportSeat,
  TransportStatistics,
} from '@nestjs-orchestrator/core/ports';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Claims } from './claims.js';
import type { ClusterFolder } from './cluster-folder.js';
import { asDescriptor, type Descriptor } from './descriptor.js';
import { Incoming } from './incoming.js';
import { Listener } from './listener.js';
import { Loopback } from './loopback.js';
import { Names } from './names.js';
import type { PipeSettings } from './options.js';
import type { Peer } from './peer.js';
import { isListening } from './probe.js';
import { Roster } from './roster.js';
import { Counters } from './statistics.js';

/** `leaveMs` is waited for in so many parts: a time in which this process stood still counts as one of them. */
const LEAVE_PARTS = 4;
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** One endpoint in a cluster of named pipes. */
export class PipeSeat implements TransportSeat {
  readonly self: Endpoint;
  readonly maxFrameBytes: number;
  /** Who is who: the names of endpoints. */
  readonly endpoints: Claims;
  private readonly directory: Names;
  private readonly roster: Roster;
  private readonly loopback: Loopback;
  private readonly counters = new Counters();
  private listener: Listener | undefined;
  private heartbeat: Cancellable | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly folder: ClusterFolder,
    private readonly settings: PipeSettings,
    private readonly options: JoinOptions,
    private readonly receiver: FrameReceiver,
    self: Descriptor,
  ) {
    this.self = { name: self.name, incarnation: self.incarnation };
    this.maxFrameBytes = settings.maxFrameBytes;
    const isAlive = (incarnation: string): Promise<boolean> => this.isAlive(incarnation);
    this.endpoints = new Claims(folder.endpoints, self.incarnation, isAlive);
    this.directory = new Names(folder.names, this.self, isAlive);
    const deliver = (from: Endpoint, frame: Uint8Array): void | Promise<void> => this.deliver(from, frame);
    this.roster = new Roster(self, folder, settings, this.counters, {
      deliver,
      onPeer: (peer) => this.tell(peer),
      onLost: (endpoint) => this.onLost(endpoint),
      onCorrupt: (why) => this.options.logger.warn(`A connection was closed: ${why}`, this.where),
    });
    this.loopback = new Loopback(this.self, deliver, settings.sendBufferBytes);
  }

  /** @throws TransportUnavailableError */
  async open(): Promise<void> {
    this.listener = await Listener.open(
      this.folder,
      this.self.incarnation,
      (socket) => void new Incoming(socket, this.roster),
      (error) => this.options.logger.error(`Nobody can connect: ${error.message}`, this.where),
    );
    this.scheduleHeartbeat();
  }

  /** Connects to those who are there already; settles when each has answered, is suspect or is lost. */
  async meet(others: readonly Descriptor[]): Promise<void> {
    await Promise.all(others.map((other) => this.roster.meet(other).reached));
  }

  /** Frames are handed over from the next turn on, when whoever joined has the seat. */
  begin(): void {
    setImmediate(() => this.roster.release());
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    if (this.reach(to, frame).take(frame)) {
      this.counters.sent(frame.length);
      return true;
    }
    this.counters.refused += 1;
    return false;
  }

  async send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const way = this.reach(to, frame);
    if (!way.take(frame)) {
      this.counters.refused += 1;
      await way.waiting.wait(frame, signal);
    }
    this.counters.sent(frame.length);
  }

  async claim(name: string, about: string): Promise<void> {
    this.assertThere();
    await this.directory.claim(name, about);
  }

  async unclaim(name: string): Promise<void> {
    if (this.leaving === undefined) await this.directory.unclaim(name);
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    this.assertThere();
    const entry = await this.directory.locate(name);
    if (entry !== undefined) await this.meetHolder(entry.endpoint);
    return entry;
  }

  async names(): Promise<readonly NamedEntry[]> {
    this.assertThere();
    const entries = await this.directory.all();
    for (const { endpoint } of entries) await this.meetHolder(endpoint);
    return entries;
  }

  peers(): readonly PeerView[] {
    return this.leaving === undefined ? this.roster.views() : [];
  }

  statistics(): TransportStatistics {
    const waiting = this.roster.all().reduce((sum, peer) => sum + peer.waiting.size, 0);
    return this.counters.read(waiting + this.loopback.waiting.size, this.peers().length);
  }

  /** One that came while this process stood still may be found by its name before its connection is. */
  private async meetHolder({ name, incarnation }: Endpoint): Promise<void> {
    const isNew = (): boolean =>
      incarnation !== this.self.incarnation && this.roster.knownToLive(incarnation) === undefined;
    if (!isNew()) return;
    const holder = asDescriptor((await this.endpoints.holder(name))?.content);
    if (holder?.incarnation === incarnation && isNew() && this.leaving === undefined)
      this.roster.meet(holder);
  }

  leave(): Promise<void> {
    this.leaving ??= this.goAway();
    return this.leaving;
  }

  private async goAway(): Promise<void> {
    // As the listener did until now. Clocks keep no process running, and where a peer can't be reached there is nothing else left that would.
    const keepsAlive = setInterval(() => undefined, LONGEST_DELAY_MS);
    try {
      await this.endAll();
    } finally {
      clearInterval(keepsAlive);
    }
  }

  private async endAll(): Promise<void> {
    const error = this.closedError();
    this.listener?.stop();
    this.loopback.waiting.fail(error);
    for (const peer of this.roster.all()) peer.waiting.fail(error);
    await this.giveBack('its names', () => this.directory.unclaimAll());
    await this.sayBye();
    this.heartbeat?.cancel();
    for (const peer of this.roster.all()) peer.close(error);
    await this.giveBack('its own name', () => this.endpoints.release(this.self.name));
    await this.giveBack('its socket', async () => this.listener?.close());
    await this.giveBack('the folder of its cluster', () => this.folder.dissolve());
  }

  /** What can't be given back keeps nothing else: it is a dead one's, and goes when others look there. */
  private async giveBack(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.logger.warn(`An endpoint could not give ${what} back: ${String(error)}`, this.where);
    }
  }

  /** What was taken comes in before this endpoint is gone; not for ever, where a peer reads nothing. */
  private async sayBye(): Promise<void> {
    const limit = new AbortController();
    const isOver = once(limit.signal, 'abort');
    let timer: Cancellable | undefined;
    const wait = (parts: number): void => {
      timer = this.options.clock.schedule(this.settings.leaveMs / LEAVE_PARTS, () =>
        parts > 1 ? wait(parts - 1) : limit.abort(),
      );
    };
    wait(LEAVE_PARTS);
    const confirmed = async (peer: Peer): Promise<void> => {
      peer.outgoing.sayBye();
      while (!limit.signal.aborted && peer.state === 'up' && !peer.isSettled)
        await Promise.race([peer.changed(), isOver]);
    };
    await Promise.all(this.roster.all().map(confirmed));
    timer?.cancel();
  }

  /** @throws FrameTooLargeError, PeerLostError, TransportClosedError */
  private reach({ name, incarnation }: Endpoint, frame: Uint8Array): Peer | Loopback {
    this.assertThere();
    if (frame.length > this.maxFrameBytes)
      throw new FrameTooLargeError(frame.length, this.maxFrameBytes, 'maxFrameBytes');
    const peer = this.roster.find(incarnation);
    if (peer !== undefined && peer.state !== 'lost' && peer.endpoint.name === name) return peer;
    if (incarnation === this.self.incarnation && name === this.self.name) return this.loopback;
    throw new PeerLostError(name);
  }

  private deliver(from: Endpoint, frame: Uint8Array): void | Promise<void> {
    if (this.leaving !== undefined) return undefined;
    try {
      const done = this.receiver.onFrame(from, frame);
      return done?.catch((error: unknown) => this.report(error));
    } catch (error) {
      this.report(error);
      return undefined;
    }
  }

  private tell(peer: PeerView): void {
    if (this.leaving !== undefined) return;
    try {
      this.receiver.onPeer(peer);
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.options.logger.error(`A frame was lost, since its receiver failed: ${text}`, this.where);
  }

  private async isAlive(incarnation: string): Promise<boolean> {
    if (incarnation === this.self.incarnation) return true;
    return this.roster.knownToLive(incarnation) ?? isListening(this.folder.socketOf(incarnation));
  }

  /** Removes what a dead endpoint has left: its socket at once, its claims by looking through them. One endpoint is enough for that. */
  private onLost({ incarnation }: Endpoint): void {
    const rest = this.peers().map(({ endpoint }) => endpoint.incarnation);
    if (this.leaving !== undefined || rest.some((other) => other < this.self.incarnation)) return;
    const sweep = async (): Promise<void> => {
      await this.endpoints.all();
      await this.directory.all();
      if (process.platform !== 'win32') await rm(this.folder.socketOf(incarnation), { force: true });
    };
    sweep().catch((error: unknown) => {
      this.options.logger.warn(`What '${incarnation}' left can't be removed: ${String(error)}`, this.where);
    });
  }

  private scheduleHeartbeat(): void {
    this.heartbeat = this.options.clock.schedule(this.settings.heartbeatMs, () => {
      this.roster.beat();
      this.scheduleHeartbeat();
    });
  }

  private assertThere(): void {
    if (this.leaving !== undefined) throw this.closedError();
  }

  private closedError(): TransportClosedError {
    return new TransportClosedError(this.options.cluster, this.self.name);
  }

  private get where(): { readonly cluster: string; readonly endpoint: string } {
    return { cluster: this.options.cluster, endpoint: this.self.name };
  }
}
