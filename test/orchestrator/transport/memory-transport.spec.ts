import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { transportConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

const cases = transportConformance(
  {
    async open(small) {
      const network = memoryNetwork(
        small === undefined ? {} : { maxEndpoints: small.endpoints, maxNames: small.names },
      );
      return {
        clusters: ['a', 'b'],
        transport: () => memoryTransport(network),
        kill: async ({ self }) => network.lose(self),
        stall: async ({ self }) => network.stall(self),
        resume: async ({ self }) => network.resume(self),
        async close() {},
      };
    },
  },
  { kill: true, stall: true },
);

describe('memoryTransport', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
