import { type ChannelGroup, createOrchestrator } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

const inMemory = orchestratorFamilyConformance(
  {
    async open() {
      const network = memoryNetwork();
      const transport = memoryTransport(network);
      const places = new Map<ChannelGroup, Endpoint>();
      return {
        async create(options) {
          const group = await createOrchestrator({
            ...options,
            type: 'memory',
            transports: { memory: transport },
          });
          const [self] = group.processes();
          if (self !== undefined) places.set(group, { name: self.endpoint, incarnation: self.incarnation });
          return group;
        },
        kill: async (group) => network.lose(places.get(group) as Endpoint),
        async close() {},
      };
    },
  },
  { kill: true },
);

const inProcess = orchestratorFamilyConformance(
  {
    async open() {
      let group: ChannelGroup | undefined;
      return {
        create: async (options) => (group ??= await createOrchestrator({ ...options, type: 'in-process' })),
        async close() {},
      };
    },
  },
  { processes: false },
);

describe('createOrchestrator over a network in memory', () => {
  it.each(inMemory)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('createOrchestrator in-process', () => {
  it.each(inProcess)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
