import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ClientProxy, type IncomingResponse, type ReadPacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { PeerLostError, TransportClosedError } from '@nestjs-orchestrator/core';
import { uuidSource } from '@nestjs-orchestrator/core/ports';
import type { Endpoint, Peer, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { MICROSERVICE_PART, type MicroservicePart } from '../microservice-registry.js';
import type { Acknowledged } from './acknowledgements.js';
import { keepsFrames, keptName } from './kept-events.js';
import { OpenPacket, OpenPackets, type Answer } from './open-packets.js';
import { Place } from './place.js';
import { Servers } from './servers.js';
import type { TransportClientStatistics } from './statistics.js';
import { Stays } from './stays.js';
import {
  ClientClosedError,
  EventNotHandledError,
  PacketBrokenError,
  ServerLostError,
  ServiceUnavailableError,
} from './transport-errors.js';
import { limitsOf, type TransportClientOptions } from './transport-options.js';
import type { TransportServerEvents, TransportStatus } from './transport-server.js';
import {
  decodeWire,
  encodeWire,
  packetTooLarge,
  wire,
  type Refusal,
  type WireFrame,
  type WireHead,
} from './wire.js';

/** A packet with an answer, without Nest's `any`. */
interface Answered extends IncomingResponse {
  readonly err?: unknown;
  readonly response?: unknown;
}

/**
 * Sends to {@link TransportServer}s of a service: `send` for answers, `emit` for events. `emit` completes when the event's handlers are done, or, over a
 * transport that keeps events, when it is kept; it fails where they failed.
 *
 * ```ts
 * { provide: 'PAYMENTS', useFactory: () => new TransportClient({ transport: namedPipe(), service: 'payments' }) }
 * ```
 */
export class TransportClient
  // Its status is any text, no `TransportStatus`: `customClass` of Nest's `ClientsModule` takes no other client.
  extends ClientProxy<TransportServerEvents>
  implements OnApplicationShutdown, MicroservicePart
{
  /** @internal */
  readonly [MICROSERVICE_PART] = true;
  private readonly logger = new Logger(TransportClient.name);
  private readonly listeners: TransportServerEvents['peer'][] = [];
  private readonly servers = new Servers();
  private readonly open = new OpenPackets();
  private readonly maxPacketBytes: number;
  /** How often `close` was called: what was begun before fails. */
  private closings = 0;
  /** Between `connect` and `close`, also while it has lost its place. */
  private isOpen = false;
  private readonly stays = new Stays();
  /** Its name in the cluster, the same at each of its places. */
  private readonly endpoint: string;
  private joining: Promise<void> | undefined;
  /** Settles when the place that was left last is given back. */
  private closing: Promise<void> = Promise.resolve();

  /** @throws OrchestratorOptionError */
  constructor(private readonly options: TransportClientOptions) {
    super();
    this.maxPacketBytes = limitsOf(options).maxPacketBytes;
    this.endpoint = options.endpoint ?? `client-${uuidSource.next()}`;
    this.initializeSerializer(options);
    this.initializeDeserializer(options);
  }

  async connect(): Promise<void> {
    this.isOpen = true;
    const joining = (this.joining ??= this.closing.then(() => this.join()));
    try {
      await joining;
    } catch (error) {
      if (this.joining === joining) this.joining = undefined;
      throw error;
    }
  }

  override get status(): Observable<TransportStatus> {
    return super.status as Observable<TransportStatus>;
  }

  /** What waits for an answer fails. `connect`, and so the next `send`, opens it again, when it is closed. */
  close(): Promise<void> {
    const { joining } = this;
    this.joining = undefined;
    this.closings += 1;
    this.isOpen = false;
    if (joining === undefined) return this.closing;
    const left = this.leave(joining);
    // Whoever opens it again waits for this, however it ends.
    this.closing = left.catch(() => undefined);
    return left;
  }

  private async leave(joining: Promise<void>): Promise<void> {
    await joining.catch(() => undefined);
    const place = this.stays.current;
    this.servers.clear();
    // In the same step as the place is left: what is handed over later is refused by it.
    this.open.failAll(() => new ClientClosedError(this.options.service));
    this.stays.closed();
    await place?.seat.leave();
    this._status$.next('disconnected');
  }

  /** Nest calls it, however the client was made. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  override on(_event: 'peer', callback: TransportServerEvents['peer']): void {
    this.listeners.push(callback);
  }

  /** The client's place at its transport: peers, statistics. */
  unwrap<T = TransportSeat>(): T {
    const { current } = this.stays;
    if (current === undefined) throw new Error('Not connected yet: call this after connect().');
    return current.seat as T;
  }

  /** How it stands at present. */
  stats(): TransportClientStatistics {
    const { service, transport } = this.options;
    const { requests, events } = this.open;
    const servers = this.servers.names();
    const own = { role: 'client', service, transport: transport.type, endpoint: this.endpoint } as const;
    return { ...own, ...this.stays.statistics(), servers, requests, events };
  }

  protected publish(partial: ReadPacket, answer: Answer): () => void {
    const number = this.open.nextNumber();
    const end = (error: Error | undefined): void => {
      this.open.remove(packet);
      answer({ err: error });
    };
    const packet = new OpenPacket(number, end, answer);
    this.request(packet, this.assignPacketId(partial)).catch((error: Error) => packet.settle(error));
    return () => {
      packet.isOver = true;
      if (this.open.remove(packet) && packet.isHanded) this.tell(packet.to, wire.cancel, number);
    };
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const pattern = this.normalizePattern(packet.pattern as string);
    const body: unknown = await this.serializer.serialize({ ...packet, pattern });
    const number = this.open.nextNumber();
    await this.onPlace((place) => {
      const { seat } = place;
      if (!keepsFrames(seat)) return this.emitAt(place, body, number);
      const key = this.options.orderBy?.(pattern, packet.data);
      return seat.publish(keptName(key, number), encodeWire(wire.event, body));
    });
    return undefined as T;
  }

  /** Settles when its handlers are done. */
  private emitAt(place: Place, body: unknown, number: number): Promise<void> {
    const frame = encodeWire(wire.event, body, number, this.maxPacketBytes);
    return new Promise((resolve, reject) => {
      const packet = new OpenPacket(number, (error) => {
        this.open.remove(packet);
        if (error === undefined) resolve();
        else reject(error);
      });
      this.handOver(place, packet, frame).catch((error: Error) => packet.settle(error));
    });
  }

  private async request(packet: OpenPacket, partial: ReadPacket): Promise<void> {
    const pattern = this.normalizePattern(partial.pattern as string);
    const body: unknown = await this.serializer.serialize({ ...partial, pattern });
    const frame = encodeWire(wire.request, body, packet.number, this.maxPacketBytes);
    await this.onPlace((place) => this.handOver(place, packet, frame));
  }

  /**
   * Hands a packet to a server, and to the next one where that is gone before all of it was taken.
   *
   * @throws ServiceUnavailableError, and as `TransportSeat.send` (as rejections): it is not open any more then
   */
  private async handOver(place: Place, packet: OpenPacket, frame: Uint8Array): Promise<void> {
    for (;;) {
      const to = await this.serverOf(place.seat);
      // Nobody listens any more, or it has failed already.
      if (packet.isOver) return;
      packet.to = to;
      packet.doubt = undefined;
      this.open.add(packet);
      try {
        packet.isHanded = await place.send(to, frame, () => !packet.isOver);
        if (packet.doubt !== undefined) packet.settle(packet.doubt);
        // Whoever asked went away in the moment in which the last of it left.
        if (packet.isHanded && packet.isOver && packet.answer !== undefined)
          this.tell(to, wire.cancel, packet.number);
        return;
      } catch (error) {
        this.open.remove(packet);
        if (!(error instanceof PeerLostError)) throw error;
        this.servers.remove(to);
      }
    }
  }

  /** Once more where the place was lost before it took anything. */
  private async onPlace(work: (place: Place) => Promise<void>): Promise<void> {
    const { closings } = this;
    for (;;) {
      const place = await this.placeNow();
      try {
        await work(place);
        return;
      } catch (error) {
        if (!(error instanceof TransportClosedError)) throw error;
        if (closings !== this.closings || place.seat.closed === undefined)
          throw new ClientClosedError(this.options.service);
        await place.seat.closed;
      }
    }
  }

  private async join(): Promise<void> {
    while (!(await this.joinOnce()));
  }

  /** `false`: others have declared the new place dead, too, before it was of any use. */
  private async joinOnce(): Promise<boolean> {
    const { transport, service } = this.options;
    const { endpoint, maxPacketBytes, logger } = this;
    const place = await Place.take(
      { transport, service, endpoint, maxPacketBytes, logger },
      {
        onFrame: (from, frame) => this.onFrame(from, frame),
        onPeer: (peer) => this.onPeer(peer),
        onTooLarge: (from, head, bytes) => this.onTooLarge(from, head, bytes),
        onBroken: (from, { number }) => this.open.find(number, from)?.settle(this.brokenAt(from)),
      },
    );
    const { seat } = place;
    try {
      await this.servers.look(seat);
    } catch (error) {
      this.servers.clear();
      await seat.leave();
      if (error instanceof TransportClosedError && seat.closed !== undefined) return false;
      throw error;
    }
    this.stays.began(place);
    this.stays.settled();
    this._status$.next('connected');
    void seat.closed?.then(() => this.loses(seat));
    return true;
  }

  /** Others have declared this endpoint dead, or its server has forgotten frames: the next packet takes another place. */
  private loses(seat: TransportSeat): void {
    if (this.stays.current?.seat !== seat) return;
    this.stays.lost();
    this.joining = undefined;
    this.servers.clear();
    this.open.lost(({ name }) => new ServerLostError(this.options.service, name));
    this._status$.next('disconnected');
  }

  private async placeNow(): Promise<Place> {
    // What came here before `close` opens nothing again. A new place may be lost in the step in which it is found.
    while (this.stays.current === undefined && this.isOpen) await this.connect();
    if (this.stays.current === undefined) throw new ClientClosedError(this.options.service);
    return this.stays.current;
  }

  /** The servers take turns. @throws ServiceUnavailableError */
  private async serverOf(seat: TransportSeat): Promise<Endpoint> {
    const server = await this.servers.find(seat);
    if (server === undefined)
      throw new ServiceUnavailableError(this.options.service, this.options.transport.type);
    return server;
  }

  /** As far as the other one still exists. */
  private tell(
    to: Endpoint | undefined,
    kind: typeof wire.cancel | typeof wire.understood,
    number = 0,
  ): void {
    if (to === undefined) return;
    this.stays.current?.send(to, encodeWire(kind, null, number)).catch(() => undefined);
  }

  private onFrame(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    const frame = decodeWire(bytes);
    if (frame === undefined) {
      this.logger.warn(`'${from.name}' sent what is no packet; it was thrown away`);
      return undefined;
    }
    const { kind, body } = frame;
    if (kind === wire.serving) this.servers.add(from);
    else if (kind === wire.closing) this.onClosing(from);
    else if (kind === wire.acknowledge) this.onAcknowledged(from, body as readonly Acknowledged[]);
    else if (kind === wire.refused) this.onRefused(from, frame);
    else if (kind === wire.response) return this.onResponse(from, frame);
    return undefined;
  }

  private onClosing(server: Endpoint): void {
    this.servers.remove(server);
    this.tell(server, wire.understood);
  }

  private onAcknowledged(from: Endpoint, entries: readonly Acknowledged[]): void {
    for (const [number, fault] of entries) {
      const error = fault === undefined ? undefined : new EventNotHandledError(this.options.service, fault);
      this.open.find(number, from)?.settle(error);
    }
  }

  private onRefused(from: Endpoint, { number, body }: WireFrame): void {
    const { bytes, maxBytes } = (body ?? {}) as Refusal;
    const isTooLarge = bytes !== undefined && maxBytes !== undefined;
    const error = isTooLarge ? packetTooLarge(bytes, maxBytes) : this.brokenAt(from);
    this.open.find(number, from)?.settle(error);
  }

  private async onResponse(from: Endpoint, { number, body }: WireFrame): Promise<void> {
    const answered: Answered = await this.deserializer.deserialize(body);
    const { err, response, isDisposed } = answered;
    const packet = this.open.find(number, from);
    if (packet?.answer === undefined || packet.isOver) return;
    if (isDisposed === true || err !== undefined) {
      this.open.remove(packet);
      packet.isOver = true;
      packet.answer({ err, response, isDisposed: true });
    } else packet.answer({ response });
  }

  private onTooLarge(from: Endpoint, { number }: WireHead, bytes: number): void {
    const error = packetTooLarge(bytes, this.maxPacketBytes);
    this.logger.warn(`'${from.name}' sent a packet that was thrown away: ${error.message}`);
    this.open.find(number, from)?.settle(error);
    // There may be more answers.
    this.tell(from, wire.cancel, number);
  }

  private brokenAt({ name }: Endpoint): PacketBrokenError {
    return new PacketBrokenError(this.options.service, name);
  }

  private onPeer(peer: Peer): void {
    for (const listener of this.listeners) listener(peer);
    if (peer.state !== 'lost') return;
    const { endpoint } = peer;
    this.servers.remove(endpoint);
    this.open.lost(({ name }) => new ServerLostError(this.options.service, name), endpoint);
  }
}
