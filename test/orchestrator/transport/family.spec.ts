import { type ChannelGroup, createOrchestrator, gateway } from '@nestjs-orchestrator/core';
import { type MemoryNetwork, memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, Transport } from '@nestjs-orchestrator/core/ports';
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

/** Process `one` is in a local cluster, the others in another one; two gateways are between them. */
const throughGateways = orchestratorFamilyConformance(
  {
    async open() {
      const [company, plants] = [memoryTransport(memoryNetwork()), new Map<string, Transport>()];
      const networks = new Map<string, MemoryNetwork>();
      const places = new Map<ChannelGroup, Endpoint>();
      const gateways: ChannelGroup[] = [];
      for (const cluster of ['plant-1', 'plant-2']) {
        const network = memoryNetwork();
        networks.set(cluster, network);
        plants.set(cluster, memoryTransport(network));
        const local = memoryTransport(network);
        const transports = { gateway: gateway({ local, distributed: company, joins: 'company' }) };
        gateways.push(await createOrchestrator({ name: 'notes', cluster, endpoint: 'gateway', transports }));
      }
      return {
        async create(options) {
          const cluster = options.endpoint === 'one' ? 'plant-1' : 'plant-2';
          const transports = { memory: plants.get(cluster) as Transport };
          const reachableFrom = ['plant-1/notes'];
          const group = await createOrchestrator({ ...options, cluster, transports, reachableFrom });
          const [self] = group.processes();
          if (self !== undefined) places.set(group, { name: self.endpoint, incarnation: self.incarnation });
          return group;
        },
        address: (machine) => ({ cluster: 'plant-2', group: 'notes', machine }),
        kill: async (group) => networks.get('plant-2')?.lose(places.get(group) as Endpoint),
        close: async () => void (await Promise.all(gateways.map((each) => each.release()))),
      };
    },
  },
  { kill: true, joined: true },
);

describe('createOrchestrator in two clusters that gateways join', () => {
  it.each(throughGateways)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('createOrchestrator in-process', () => {
  it.each(inProcess)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
