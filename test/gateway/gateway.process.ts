// A gateway in a process of its own: says who is active as it hears of it, and ends by a signal.
import { createOrchestrator, gateway } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

/** What the spec tells a process. */
export interface GatewayOrder {
  readonly endpoint: string;
  readonly cluster: string;
  readonly local: keyof typeof TRANSPORTS;
  readonly directory: string;
  readonly joins: string;
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs: number;
}

const order = JSON.parse(process.argv[2] ?? '{}') as GatewayOrder;
const { endpoint, cluster, directory, joins, url, prefix, leaseMs } = order;
const redis = new Redis(url);
redis.on('error', () => undefined);
const orchestrator = await createOrchestrator({
  name: 'books',
  cluster,
  endpoint,
  transports: {
    gateway: gateway({
      local: TRANSPORTS[order.local]({ directory }),
      distributed: redisStreams(redis, { prefix, partitions: 4, leaseMs }),
      joins,
    }),
  },
});
process.send?.(orchestrator.stats().cluster?.gateway?.state);
