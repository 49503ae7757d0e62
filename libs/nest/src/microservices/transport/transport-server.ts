import {
  Server,
  type CustomTransportStrategy,
  type IncomingEvent,
  type IncomingRequest,
  type MessageHandler,
  type WritePacket,
} from '@nestjs/microservices';
import { Logger } from '@nestjs/common';
import { TransportClosedError } from '@nestjs-orchestrator/core';
import { LastingPlace, type Term } from '@nestjs-orchestrator/core/internal';
import { systemClock, uuidSource } from '@nestjs-orchestrator/core/ports';
import type { Endpoint, PartitionedSeat, Peer, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { isObservable, lastValueFrom, takeUntil, throwError, type Observable } from 'rxjs';
import { MICROSERVICE_PART, type MicroservicePart } from '../microservice-registry.js';
import { acknowledgementFrames, Acknowledgements } from './acknowledgements.js';
import { Asker } from './asker.js';
import { Farewell } from './farewell.js';
import { InFlight } from './in-flight.js';
import { keepsFrames, KeptEvents } from './kept-events.js';
import { Place } from './place.js';
import { reasonOf } from './reason-of.js';
import type { TransportServerStatistics } from './statistics.js';
import { Stays } from './stays.js';
import { TransportContext } from './transport-context.js';
import {
  clusterOf,
  limitsOf,
  SERVER_NAME,
  type PacketLimits,
  type TransportServerOptions,
} from './transport-options.js';
import { decodeWire, encodeWire, wire, type Refusal, type WireFrame, type WireHead } from './wire.js';

/** What {@link TransportServer} tells those who ask with `on`. */
export type TransportServerEvents = {
  /** An endpoint came, stands still, goes on, or is lost. */
  peer: (peer: Peer) => void;
};

/** Whether the endpoint has its place at the transport. */
export type TransportStatus = 'connected' | 'disconnected';

/** Milliseconds between two tries to take a place again. */
const PAUSE_MS = 1_000;

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

/**
 * Serves `@MessagePattern` and `@EventPattern` controllers over any transport of this framework:
 *
 * ```ts
 * app.connectMicroservice({ strategy: new TransportServer({ transport: namedPipe(), service: 'payments' }) });
 * ```
 *
 * An event is acknowledged when its handlers are done; its sender hears of their failure. Transports that keep events (`redisStreams`) bring one that
 * failed, or whose server died, again. Several servers of one service share its packets.
 */
export class TransportServer
  extends Server<TransportServerEvents, TransportStatus>
  implements CustomTransportStrategy, MicroservicePart
{
  /** @internal */
  readonly [MICROSERVICE_PART] = true;
  override readonly transportId: symbol;
  /** Failures of event handlers come to `handleEvent`, which tells the sender. */
  override readonly propagatesEventHandlerErrors = true;
  protected override readonly logger = new Logger(TransportServer.name);
  private readonly listeners: TransportServerEvents['peer'][] = [];
  private readonly askers = new Map<string, Asker>();
  /** Packets that handlers have not taken up or, for events, not done. */
  private readonly inFlight: InFlight;
  /** Requests whose last answer has not gone out. */
  private readonly unanswered = new InFlight(Infinity);
  private readonly farewell = new Farewell();
  private readonly lasting: LastingPlace<Place>;
  /** The name in the cluster, the same after each loss of the place. */
  private readonly endpoint: string;
  private readonly limits: PacketLimits;
  private readonly stays = new Stays();
  private acknowledgements: Acknowledgements | undefined;
  private closing: Promise<void> | undefined;

  /** @throws OrchestratorOptionError */
  constructor(private readonly options: TransportServerOptions) {
    super();
    this.limits = limitsOf(options);
    this.transportId = Symbol.for(`@nestjs-orchestrator/${options.transport.type}`);
    this.endpoint = options.endpoint ?? `server-${uuidSource.next()}`;
    this.inFlight = new InFlight(this.limits.maxInFlight);
    this.lasting = new LastingPlace<Place>({
      clock: systemClock,
      pauseMs: PAUSE_MS,
      take: (term) => this.join(term),
      enter: (place) => this.enter(place),
      found: (place) => this.isThere(place),
      lost: () => this.isLost(),
      failed: (error) =>
        this.logger.warn(`No place could be taken again, it is tried once more: ${String(error)}`),
      closedError: () => new TransportClosedError(clusterOf(options.service), this.endpoint),
    });
    this.initializeSerializer(options);
    this.initializeDeserializer(options);
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.lasting.begin();
    } catch (error) {
      this.stays.closed();
      callback(error);
      return;
    }
    callback();
  }

  /** Takes nothing new, waits for handlers, and leaves. A second call settles with the first. */
  close(): Promise<void> {
    this.closing ??= this.goAway();
    return this.closing;
  }

  on(_event: 'peer', callback: TransportServerEvents['peer']): void {
    this.listeners.push(callback);
  }

  /** The server's place at its transport: peers, statistics. */
  unwrap<T = TransportSeat>(): T {
    const { current } = this.stays;
    if (current === undefined)
      throw new Error('Not listening: call this after startAllMicroservices(), while `status` is connected.');
    return current.seat as T;
  }

  /** How it stands at present. */
  stats(): TransportServerStatistics {
    const { service, transport } = this.options;
    const own = { role: 'server', service, transport: transport.type, endpoint: this.endpoint } as const;
    const counts = { inHand: this.inFlight.size, unanswered: this.unanswered.size };
    return { ...own, ...this.stays.statistics(), ...counts };
  }

  private async join(term: Term): Promise<Place> {
    const { transport, service } = this.options;
    const { endpoint, logger } = this;
    const { maxPacketBytes } = this.limits;
    const place = await Place.take(
      { transport, service, endpoint, maxPacketBytes, logger },
      {
        // Whoever sent it has heard that this server is lost.
        onFrame: (from, frame) => (term.over ? undefined : this.onFrame(from, frame)),
        onPeer: (peer) => this.onPeer(peer),
        onTooLarge: (from, head, bytes) => this.onTooLarge(from, head, bytes),
        onBroken: (from, head) => this.refuse(from, head, {}),
      },
    );
    const { maxFrameBytes } = place.seat;
    this.stays.began(place);
    this.acknowledgements = new Acknowledgements((to, entries) => {
      for (const frame of acknowledgementFrames(entries, maxFrameBytes)) this.reply(to, frame);
    });
    return place;
  }

  private async enter({ seat }: Place): Promise<void> {
    if (keepsFrames(seat)) await this.serveKept(seat);
    await seat.claim(SERVER_NAME + this.endpoint, this.options.service);
  }

  private isThere({ seat }: Place): void {
    this.stays.settled();
    for (const peer of seat.peers()) this.onPeer(peer);
    this._status$.next('connected');
  }

  /** Others have declared this endpoint dead, or its server has forgotten frames; who waited for answers has heard that it is lost. */
  private isLost(): void {
    this.stays.lost();
    this._status$.next('disconnected');
  }

  private async goAway(): Promise<void> {
    const place = await this.lasting.end();
    await this.giveNameBack(place?.seat);
    await this.drained(place?.seat.peers() ?? []);
    this.acknowledgements?.flush();
    this.stays.closed();
    await this.lasting.leave();
    this._status$.next('disconnected');
  }

  /** Clients look no more for this server. Where that fails, its name goes with its place. */
  private async giveNameBack(seat: TransportSeat | undefined): Promise<void> {
    try {
      await seat?.unclaim(SERVER_NAME + this.endpoint);
    } catch (error) {
      this.logger.warn(`The name of '${this.endpoint}' could not be given back: ${reasonOf(error)}`);
    }
  }

  /** Settles when nobody sends any more and nothing is in hand, or the time is over. */
  private async drained(peers: readonly Peer[]): Promise<void> {
    let giveUp: () => void = () => undefined;
    const limit = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    const timer = systemClock.schedule(this.limits.drainMs, giveUp);
    const quiet = this.farewell
      .said(peers, (to) => this.reply(to, encodeWire(wire.closing, null)))
      .then(() => Promise.all([this.inFlight.idle(), this.unanswered.idle()]));
    await Promise.race([quiet, limit]);
    timer.cancel();
  }

  private onPeer(peer: Peer): void {
    for (const listener of this.listeners) listener(peer);
    if (peer.state === 'up' && this.stays.current !== undefined && this.closing === undefined)
      this.reply(peer.endpoint, encodeWire(wire.serving, null));
    if (peer.state !== 'lost') return;
    this.farewell.answered(peer.endpoint);
    const prefix = `${peer.endpoint.incarnation}/`;
    for (const [key, asker] of this.askers) if (key.startsWith(prefix)) asker.goes();
  }

  private onFrame(from: Endpoint, bytes: Uint8Array): void | Promise<void> {
    const frame = decodeWire(bytes);
    if (frame === undefined) {
      this.logger.warn(`'${from.name}' sent what is no packet; it was thrown away`);
      return undefined;
    }
    const { kind, number, body } = frame;
    switch (kind) {
      case wire.event:
        return this.inFlight.start(this.onEvent(from, number, body));
      case wire.request:
        return this.inFlight.start(this.onRequest(from, frame));
      case wire.cancel:
        this.askers.get(`${from.incarnation}/${number}`)?.goes();
        break;
      case wire.understood:
        this.farewell.answered(from);
        break;
      case wire.closing:
        // Another server of the service; nothing is sent there.
        this.reply(from, encodeWire(wire.understood, null));
        break;
    }
    return undefined;
  }

  private onTooLarge(from: Endpoint, head: WireHead, bytes: number): void {
    const maxBytes = this.limits.maxPacketBytes;
    this.logger.warn(
      `'${from.name}' sent a packet of ${bytes} bytes, above the limit of ${maxBytes} ('maxPacketBytes'); it was refused`,
    );
    this.refuse(from, head, { bytes, maxBytes });
  }

  /** Tells who waits for a packet that it was not taken. */
  private refuse(to: Endpoint, { kind, number }: WireHead, why: Refusal): void {
    if (kind === wire.request || kind === wire.event) this.reply(to, encodeWire(wire.refused, why, number));
  }

  private async onEvent(from: Endpoint, number: number, body: unknown): Promise<void> {
    try {
      await this.handle(from, body);
      this.acknowledgements?.add(from, number);
    } catch (error) {
      this.acknowledgements?.add(from, number, reasonOf(error));
    }
  }

  private async serveKept(seat: PartitionedSeat): Promise<void> {
    const events = new KeptEvents((bytes) => this.onKept(bytes));
    await seat.serve({
      onGained: () => undefined,
      onFrame: (_owned, frame) => events.take(frame),
      onLost: () => undefined,
    });
  }

  /** Rejects where the event is to come again. */
  private async onKept(bytes: Uint8Array): Promise<void> {
    const frame = decodeWire(bytes);
    if (frame?.kind !== wire.event) throw new Error('It is no event.');
    try {
      await this.inFlight.start(this.handle(undefined, frame.body), 'whole');
    } catch (error) {
      throw error instanceof Error ? error : new Error(reasonOf(error));
    }
  }

  private async handle(from: Endpoint | undefined, body: unknown): Promise<void> {
    const packet = (await this.deserializer.deserialize(body)) as IncomingEvent;
    const pattern = this.getPatternAsString(packet.pattern);
    const handler = this.getHandlerByPattern(pattern);
    if (handler === null) throw new Error(`there is no handler for '${pattern}'`);
    const context = new TransportContext([from, pattern, packet.metadata]);
    await this.hooked(context, async () => {
      const result: unknown = await handler(packet.data, context);
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    });
  }

  /** Runs between Nest's hooks, and tells how it went, which they do not. */
  private hooked(context: TransportContext, run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (end) => {
        await run().then(resolve, reject);
        end();
      });
    });
  }

  private async onRequest(from: Endpoint, { number, body }: WireFrame): Promise<void> {
    // From here on it is heard when nobody waits any more.
    const asker = new Asker(from, number);
    this.askers.set(asker.key, asker);
    const forget = (): void => void this.askers.delete(asker.key);
    const { packet, pattern, handler } = await this.read(body).catch((error: unknown) => {
      forget();
      throw error;
    });
    asker.id = packet.id;
    if (asker.isGone) return forget();
    if (handler === null) {
      forget();
      return this.respond(asker, { err: NO_HANDLER, status: 'error', isDisposed: true });
    }
    const context = new TransportContext([from, pattern, packet.metadata]);
    return new Promise((taken) => {
      const answered = new Promise<void>((resolve) => {
        const produce = async (): Promise<Observable<unknown>> => {
          const answers$ = await this.answersOf(handler, packet.data, context);
          taken();
          return answers$.pipe(takeUntil(asker.stop));
        };
        const respond = async (answer: WritePacket): Promise<void> => {
          try {
            await this.respond(asker, answer);
          } finally {
            if (answer.isDisposed === true) resolve();
          }
        };
        this.handleRequest(context, produce, respond);
      });
      void this.unanswered.start(answered.finally(forget));
    });
  }

  private async read(body: unknown) {
    const packet = (await this.deserializer.deserialize(body)) as IncomingRequest;
    const pattern = this.getPatternAsString(packet.pattern);
    return { packet, pattern, handler: this.getHandlerByPattern(pattern) };
  }

  private async answersOf(
    handler: MessageHandler,
    data: unknown,
    context: TransportContext,
  ): Promise<Observable<unknown>> {
    try {
      return this.transformToObservable((await handler(data, context)) as unknown);
    } catch (error) {
      return throwError(() => error);
    }
  }

  private async respond(asker: Asker, answer: WritePacket): Promise<void> {
    const { to, id } = asker;
    try {
      await this.sendAnswer(asker, Object.assign(answer, { id }));
    } catch (error) {
      if (this.isGone(to)) return;
      // The answer can't be carried: too large, or no JSON. Whoever asked hears that instead of nothing.
      const message = reasonOf(error);
      this.logger.error(`An answer to '${to.name}' can't be sent: ${message}`);
      asker.endAnswers();
      await this.sendAnswer(asker, { id, err: { status: 'error', message }, isDisposed: true });
    }
  }

  private async sendAnswer(asker: Asker, answer: WritePacket & { readonly id: string }): Promise<void> {
    const { to, number } = asker;
    const packet: unknown = await this.serializer.serialize(answer as never);
    const frame = encodeWire(wire.response, packet, number, this.limits.maxPacketBytes);
    await this.stays.current?.send(to, frame, () => !asker.isGone);
  }

  private isGone(to: Endpoint): boolean {
    return this.stays.current?.hasLost(to) ?? true;
  }

  /** As far as the other one still exists. */
  private reply(to: Endpoint, frame: Uint8Array): void {
    this.stays.current?.send(to, frame).catch((error: unknown) => {
      if (!this.isGone(to)) this.logger.error(`'${to.name}' can't be answered: ${String(error)}`);
    });
  }
}
