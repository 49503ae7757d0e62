import type { Deserializer, Serializer } from '@nestjs/microservices';
import { OrchestratorOptionError } from '@nestjs-orchestrator/core';
import type { Transport } from '@nestjs-orchestrator/core/ports';

/** What server and client of a service have in common. */
export interface ServiceOptions {
  /** How they talk: `namedPipe()`, `sharedMemory()`, `redisStreams(redis)`, or `memoryTransport(network)` in one process. */
  readonly transport: Transport;
  /** Name of the service; servers and clients with the same name find each other. */
  readonly service: string;
  /** Name of this endpoint, unique among those of the service. Default: a random one. */
  readonly endpoint?: string;
  /**
   * Bytes of the largest packet that is sent or taken, as JSON. What is larger than a frame of the transport goes in pieces; kept events do not, whose limit is
   * that of the transport. Default: 16 777 216.
   */
  readonly maxPacketBytes?: number;
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

const DEFAULTS = { maxPacketBytes: 16 * 1024 * 1024, maxInFlight: 1_000, drainMs: 5_000 } as const;

/** What the options say, or the defaults. */
export type PacketLimits = Readonly<Record<keyof typeof DEFAULTS, number>>;

/** @throws OrchestratorOptionError */
export function limitsOf(options: TransportServerOptions | TransportClientOptions): PacketLimits {
  const { service, transport } = options;
  if (typeof (transport as Partial<Transport> | undefined)?.join !== 'function')
    throw new OrchestratorOptionError('transport', 'must be a transport, such as namedPipe()', transport);
  if (typeof service !== 'string' || service === '')
    throw new OrchestratorOptionError('service', 'must be the name that servers and clients share', service);
  const given: Partial<PacketLimits> = options;
  return {
    maxPacketBytes: whole('maxPacketBytes', given, 1),
    maxInFlight: whole('maxInFlight', given, 1),
    drainMs: whole('drainMs', given, 0),
  };
}

function whole(option: keyof PacketLimits, given: Partial<PacketLimits>, least: number): number {
  const value = given[option] ?? DEFAULTS[option];
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new OrchestratorOptionError(option, `must be a whole number of at least ${least}`, value);
}
