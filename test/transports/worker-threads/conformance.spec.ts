import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { transportConformance } from '@nestjs-orchestrator/testing';
import { threadMemory, workerThreads } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import type { SharedSeat } from '../../../libs/transports/src/shared-memory/seat/shared-seat.js';

const standing = new Map<TransportSeat, () => void>();

const cases = transportConformance(
  {
    open: async (small) => {
      const limits = small && { maxEndpoints: small.endpoints, maxNames: small.names };
      const make = (cluster: string) => threadMemory(cluster, { laneBytes: 65_536, ...limits });
      const memories = new Map(['a', 'b'].map((cluster) => [cluster, make(cluster)]));
      const transport: Transport = {
        type: 'worker-threads',
        join: (options, receiver) => {
          const memory = memories.get(options.cluster) ?? expect.unreachable();
          return workerThreads(memory, { heartbeatMs: 20 }).join(options, receiver);
        },
      };
      return {
        clusters: ['a', 'b'],
        transport: () => transport,
        stall: async (seat) => void standing.set(seat, (seat as SharedSeat).standStill()),
        resume: async (seat) => standing.get(seat)?.(),
        async close() {},
      };
    },
  },
  { stall: true },
);

describe('workerThreads', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
