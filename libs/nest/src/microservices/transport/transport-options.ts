import type { Deserializer, Serializer } from '@nestjs/microservices';
import type { Transport } from '@nestjs-orchestrator/core/ports';

/** What server and client of a service have in common. */
export interface ServiceOptions {
  /** How they talk: `namedPipe()`, `sharedMemory()`, `redisStreams(redis)`, or `memoryTransport(network)` in one process. */
  readonly transport: Transport;
  /** Name of the service; servers and clients with the same name find each other. */
  readonly service: string;
  /** Name of this endpoint, unique among those of the service. Default: a random one. */
  readonly endpoint?: string;
}

/** Options of {@link TransportServer}. */
export interface TransportServerOptions extends ServiceOptions {
  /** Packets in the hands of handlers; further ones wait with their senders. Default: 1 000. */
  readonly maxInFlight?: number;
  /** Milliseconds for which `close` waits for handlers. Default: 5 000. */
  readonly drainMs?: number;
  readonly serializer?: Serializer;
  readonly deserializer?: Deserializer;
}

/** Options of {@link TransportClient}. */
export interface TransportClientOptions extends ServiceOptions {
  /**
   * Over a transport that keeps events: those with the same key are handled one after the other, in order; `undefined` for those that may be handled side
   * by side. Default: no order. Other transports hand events to handlers in the order in which they were emitted to a server.
   */
  readonly orderBy?: (pattern: string, data: unknown) => string | undefined;
  readonly serializer?: Serializer;
  readonly deserializer?: Deserializer;
}

/** The cluster in which the endpoints of a service meet. */
export const clusterOf = (service: string): string => `nest-${service}`;
/** Under this name and that of its endpoint, a server stands in the directory. */
export const SERVER_NAME = 'server/';
