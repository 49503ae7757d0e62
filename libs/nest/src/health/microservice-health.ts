import type { MicroserviceRegistry } from '../microservices/microservice-registry.js';
import type {
  TransportClientStatistics,
  TransportServerStatistics,
} from '../microservices/transport/statistics.js';

type Shown<S> = Omit<S, 'frames' | 'halfBytes'> & {
  /** Sends that wait for room. */
  readonly waiting: number;
};

/** How a server or client of a Nest microservice stands. Other endpoints that are gone or stand still are their trouble, not this node's. */
export type MicroserviceHealth = Shown<TransportServerStatistics> | Shown<TransportClientStatistics>;

/** Nothing where the application has none. */
export function microserviceHealth(registry: MicroserviceRegistry): {
  readonly microservices?: readonly MicroserviceHealth[];
} {
  const all = registry.stats().map((part) => {
    const { frames, halfBytes: _, ...rest } = part;
    return { ...rest, waiting: frames.waiting };
  });
  return all.length === 0 ? {} : { microservices: all };
}

/** Says which servers can't be reached by anybody, or nothing. */
export function lostServers(parts: readonly MicroserviceHealth[]): string | undefined {
  const lost = parts.filter(({ role, place }) => role === 'server' && place === 'lost');
  if (lost.length === 0) return undefined;
  return lost
    .map(
      ({ endpoint, service, transport }) =>
        `server '${endpoint}' of service '${service}' has lost its place over '${transport}' and looks for another one`,
    )
    .join('; ');
}
