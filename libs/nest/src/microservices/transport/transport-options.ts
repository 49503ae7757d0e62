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
   * Which events must stay in order where the transport keeps them: those with the same key come in order, others side by side. Default: the pattern.
   */
  readonly orderBy?: (pattern: string, data: unknown) => string;
  readonly serializer?: Serializer;
  readonly deserializer?: Deserializer;
}

/** The cluster in which the endpoints of a service meet. */
export const clusterOf = (service: string): string => `nest-${service}`;
/** Under this name and that of its endpoint, a server stands in the directory. */
export const SERVER_NAME = 'server/';
