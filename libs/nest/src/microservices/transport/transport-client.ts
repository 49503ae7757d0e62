import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import {
  ClientProxy,
  type IncomingResponse,
  type OutgoingRequest,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { TransportClosedError } from '@nestjs-orchestrator/core';
import { systemClock, uuidSource } from '@nestjs-orchestrator/core/ports';
import type { Endpoint, Peer, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { NestLogger } from '../../logging/nest-logger.js';
import type { Acknowledged } from './acknowledgements.js';
import { keepsFrames, keptName } from './kept-events.js';
import { Servers } from './servers.js';
import {
  ClientClosedError,
  EventNotHandledError,
  ServerLostError,
  ServiceUnavailableError,
} from './transport-errors.js';
import { clusterOf, type TransportClientOptions } from './transport-options.js';
import type { TransportServerEvents, TransportStatus } from './transport-server.js';
import { decodeWire, encodeWire, wire, type WireKind } from './wire.js';

type Answer = (packet: WritePacket) => void;

/** A packet with an answer, without Nest's `any`. */
interface Answered extends IncomingResponse {
  readonly err?: unknown;
  readonly response?: unknown;
}

/** A request, for whoever waits for its answers. */
interface Asked {
  readonly answer: Answer;
  readonly settle: (error: Error | undefined) => void;
  readonly isOver: () => boolean;
}

/** A request or an event that a server has not answered for good. */
interface Pending {
  readonly to: Endpoint;
  readonly settle: (error: Error | undefined) => void;
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
  implements OnApplicationShutdown
{
  private readonly logger = new Logger(TransportClient.name);
  private readonly listeners: TransportServerEvents['peer'][] = [];
  private readonly servers: Servers;
  private readonly requests = new Map<string, Pending & Asked>();
  private readonly events = new Map<number, Pending>();
  private lastNumber = 0;
  /** How often `close` was called: what was begun before fails. */
  private closings = 0;
  /** Between `connect` and `close`, also while it has lost its place. */
  private isOpen = false;
  private seat: TransportSeat | undefined;
  private joining: Promise<TransportSeat> | undefined;

  constructor(private readonly options: TransportClientOptions) {
    super();
    this.servers = new Servers();
    this.initializeSerializer(options);
    this.initializeDeserializer(options);
  }

  async connect(): Promise<void> {
    this.isOpen = true;
    this.joining ??= this.join();
    try {
      await this.joining;
    } catch (error) {
      this.joining = undefined;
      throw error;
    }
  }

  override get status(): Observable<TransportStatus> {
    return super.status as Observable<TransportStatus>;
  }

  /** What waits for an answer fails. `connect`, and so the next `send`, opens it again. */
  async close(): Promise<void> {
    const { joining } = this;
    this.joining = undefined;
    this.closings += 1;
    this.isOpen = false;
    if (joining === undefined) return;
    const seat = await joining.catch(() => undefined);
    this.seat = undefined;
    this.servers.clear();
    this.fail(() => new ClientClosedError(this.options.service));
    await seat?.leave();
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
    if (this.seat === undefined) throw new Error('Not connected yet: call this after connect().');
    return this.seat as T;
  }

  protected publish(partial: ReadPacket, answer: Answer): () => void {
    const { id, ...packet } = this.assignPacketId(partial);
    let isOver = false;
    const settle = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      this.requests.delete(id);
      answer({ err: error });
    };
    this.request({ ...packet, id }, { answer, settle, isOver: () => isOver }).catch(settle);
    return () => {
      isOver = true;
      const pending = this.requests.get(id);
      if (!this.requests.delete(id) || pending === undefined) return;
      this.deliver(pending.to, wire.cancel, id).catch(() => undefined);
    };
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const pattern = this.normalizePattern(packet.pattern as string);
    const body: unknown = await this.serializer.serialize({ ...packet, pattern });
    await this.onSeat((seat) => {
      this.lastNumber = (this.lastNumber + 1) >>> 0;
      const number = this.lastNumber;
      if (!keepsFrames(seat)) return this.emitTo(seat, body, number);
      const key = this.options.orderBy?.(pattern, packet.data);
      return seat.publish(keptName(key, number), encodeWire(wire.event, body));
    });
    return undefined as T;
  }

  private async emitTo(seat: TransportSeat, body: unknown, number: number): Promise<void> {
    const to = await this.serverOf(seat);
    const done = new Promise<void>((resolve, reject) => {
      const settle = (error: Error | undefined): void => {
        this.events.delete(number);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.events.set(number, { to, settle });
    });
    this.deliver(to, wire.event, body, number).catch((error: Error) =>
      this.events.get(number)?.settle(error),
    );
    return done;
  }

  private async request(packet: OutgoingRequest, asked: Asked): Promise<void> {
    const pattern = this.normalizePattern(packet.pattern as string);
    const body: unknown = await this.serializer.serialize({ ...packet, pattern });
    await this.onSeat(async (seat) => {
      const to = await this.serverOf(seat);
      // Nobody listens any more, or it has failed already.
      if (asked.isOver()) return;
      this.requests.set(packet.id, { to, ...asked });
      try {
        await this.deliver(to, wire.request, body);
      } catch (error) {
        this.requests.delete(packet.id);
        throw error;
      }
    });
  }

  /** Once more where the place was lost before it took anything. */
  private async onSeat(work: (seat: TransportSeat) => Promise<void>): Promise<void> {
    const { closings } = this;
    for (;;) {
      const seat = await this.seatNow();
      try {
        await work(seat);
        return;
      } catch (error) {
        if (!(error instanceof TransportClosedError)) throw error;
        if (closings !== this.closings || seat.closed === undefined)
          throw new ClientClosedError(this.options.service);
        await seat.closed;
      }
    }
  }

  private async join(): Promise<TransportSeat> {
    const { transport, service, endpoint = `client-${uuidSource.next()}` } = this.options;
    const seat = await transport.join(
      { cluster: clusterOf(service), endpoint, clock: systemClock, logger: new NestLogger(this.logger) },
      { onFrame: (from, frame) => this.onFrame(from, frame), onPeer: (peer) => this.onPeer(peer) },
    );
    try {
      await this.servers.look(seat);
    } catch (error) {
      this.servers.clear();
      await seat.leave();
      throw error;
    }
    this.seat = seat;
    this._status$.next('connected');
    void seat.closed?.then(() => this.loses(seat));
    return seat;
  }

  /** Others have declared this endpoint dead, or its server has forgotten frames: the next packet takes another place. */
  private loses(seat: TransportSeat): void {
    if (this.seat !== seat) return;
    this.seat = undefined;
    this.joining = undefined;
    this.servers.clear();
    this.fail(({ to }) => new ServerLostError(this.options.service, to.name));
    this._status$.next('disconnected');
  }

  private async seatNow(): Promise<TransportSeat> {
    // What came here before `close` opens nothing again.
    if (this.seat === undefined && this.isOpen) await this.connect();
    if (this.seat === undefined) throw new ClientClosedError(this.options.service);
    return this.seat;
  }

  /** The servers take turns. @throws ServiceUnavailableError */
  private async serverOf(seat: TransportSeat): Promise<Endpoint> {
    let server = this.servers.next();
    if (server === undefined) {
      await this.servers.look(seat);
      server = this.servers.next();
    }
    if (server === undefined)
      throw new ServiceUnavailableError(this.options.service, this.options.transport.type);
    return server;
  }

  private async deliver(to: Endpoint, kind: WireKind, body: unknown, number?: number): Promise<void> {
    const frame = encodeWire(kind, body, number);
    if (this.seat?.trySend(to, frame) === false) await this.seat.send(to, frame);
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
    else if (kind === wire.acknowledge) this.onAcknowledged(body as readonly Acknowledged[]);
    else if (kind === wire.response) return this.onResponse(body);
    return undefined;
  }

  private onClosing(server: Endpoint): void {
    this.servers.remove(server);
    this.deliver(server, wire.understood, null).catch(() => undefined);
  }

  private onAcknowledged(entries: readonly Acknowledged[]): void {
    for (const [number, fault] of entries) {
      const error = fault === undefined ? undefined : new EventNotHandledError(this.options.service, fault);
      this.events.get(number)?.settle(error);
    }
  }

  private async onResponse(body: unknown): Promise<void> {
    const packet: Answered = await this.deserializer.deserialize(body);
    const { id, err, response, isDisposed } = packet;
    const pending = this.requests.get(id);
    if (pending === undefined) return;
    if (isDisposed === true || err !== undefined) {
      this.requests.delete(id);
      pending.answer({ err, response, isDisposed: true });
    } else pending.answer({ response });
  }

  private onPeer(peer: Peer): void {
    for (const listener of this.listeners) listener(peer);
    if (peer.state !== 'lost') return;
    const { endpoint } = peer;
    this.servers.remove(endpoint);
    this.fail(() => new ServerLostError(this.options.service, endpoint.name), endpoint.incarnation);
  }

  private fail(error: (pending: Pending) => Error, incarnation?: string): void {
    for (const pending of [...this.requests.values(), ...this.events.values()]) {
      if (incarnation === undefined || pending.to.incarnation === incarnation) pending.settle(error(pending));
    }
  }
}
