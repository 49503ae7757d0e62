import { TransportClient, TransportServer, transportIngress } from '@nestjs-orchestrator/nest/microservices';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';
import { reachable } from './broker.js';
import type { Party, PaymentLink } from './payment-link.js';

/** The two processes stand on one computer; nothing lies between them. */
export const namedPipeLink = (prefix: string): PaymentLink => overTransport(prefix, () => namedPipe());

/** As {@link namedPipeLink}, through memory that both have; needs the package `koffi`. */
export const sharedMemoryLink = (prefix: string): PaymentLink => overTransport(prefix, () => sharedMemory());

const REDIS = { name: 'Redis', variable: 'REDIS_URL=redis://user:password@host:port', port: 6379 };

/** The processes may stand on several computers; what one sends is kept in Redis until the other has committed it. */
export function redisStreamsLink(url: string, prefix: string): PaymentLink {
  const clients: Redis[] = [];
  const transport = (): Transport => {
    const redis = new Redis(url);
    clients.push(redis);
    return redisStreams(redis);
  };
  return {
    ...overTransport(prefix, transport),
    ready: () => reachable(new URL(url), REDIS),
    close: () => clients.forEach((redis) => redis.disconnect()),
  };
}

/** A message leaves the outbox of one process when it is in that of the other (or kept in Redis): nothing is lost, and a repeat has no further effect. */
function overTransport(prefix: string, transport: () => Transport): PaymentLink {
  const options = (of: Party) => ({ transport: transport(), service: `${prefix}-${of}` });
  return {
    client: (to) => ({ customClass: TransportClient, options: options(to) }),
    listen: (at) => ({ strategy: new TransportServer(options(at)) }),
    ingress: transportIngress,
    egress: { confirms: true },
    ready: async () => undefined,
    close: () => undefined,
  };
}
