import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
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
  open(): OpenStrategy;
}

/** What the endpoints of one test have in common. */
export interface OpenStrategy {
  transport(maxFrameBytes?: number): Transport;
  /** Ends somebody's place, as if the others had declared him dead; where a transport may do so to one that lives. */
  expel?(seat: TransportSeat): void;
  close(): void;
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
        expel: ({ self }) => networks.forEach((network) => network.expel(self)),
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
        expel: (seat) => seat.giveUp?.('a test wishes it'),
        close: () => clients.forEach((redis) => redis.disconnect()),
      };
    },
  },
];
