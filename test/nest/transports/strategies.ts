import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';
import { redisNamespace } from '../../support/redis.js';
import { temporaryFolder } from '../../transports/named-pipe/support.js';

/** A transport of which each endpoint gets its own. */
export interface Strategy {
  readonly name: string;
  /** Events are kept until a server has handled them, rather than handed to one that is there. */
  readonly keepsEvents: boolean;
  open(): { transport(maxFrameBytes?: number): Transport; close(): void };
}

/** Every transport whose endpoints can stand in one process. */
export const strategies: readonly Strategy[] = [
  {
    name: 'memory',
    keepsEvents: false,
    open: () => {
      const networks = new Map<number, ReturnType<typeof memoryNetwork>>();
      return {
        transport: (maxFrameBytes = 1_000_000) => {
          const network = networks.get(maxFrameBytes) ?? memoryNetwork({ maxFrameBytes });
          networks.set(maxFrameBytes, network);
          return memoryTransport(network);
        },
        close: () => undefined,
      };
    },
  },
  {
    name: 'named pipe',
    keepsEvents: false,
    open: () => {
      const { path, remove } = temporaryFolder();
      return {
        transport: (maxFrameBytes = 1_000_000) => namedPipe({ directory: path, maxFrameBytes, leaveMs: 200 }),
        close: remove,
      };
    },
  },
  {
    name: 'shared memory',
    keepsEvents: false,
    open: () => {
      const { path, remove } = temporaryFolder();
      // A frame fits into a lane.
      const transport = (maxFrameBytes?: number) =>
        sharedMemory({ directory: path, laneBytes: maxFrameBytes ?? 65_536 });
      return { transport, close: remove };
    },
  },
  {
    name: 'redis streams',
    keepsEvents: true,
    open: () => {
      const { url, prefix } = redisNamespace();
      const clients: Redis[] = [];
      return {
        transport: (maxFrameBytes = 1_000_000) => {
          const redis = new Redis(url);
          clients.push(redis);
          return redisStreams(redis, { prefix, maxFrameBytes, partitions: 8, retryMs: 5, leaseMs: 60_000 });
        },
        close: () => clients.forEach((redis) => redis.disconnect()),
      };
    },
  },
];
