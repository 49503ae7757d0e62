import { createOrchestrator } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { familyProcesses } from '../support/family-processes.js';
import { endLeasesOf } from '../support/redis-leases.js';
import { redisNamespace } from '../support/redis.js';
import type { FamilyPlace } from './family.process.js';

/** Nobody who lives stands still for so long; of one that was killed it is ended. Who wants a name that is held looks at it for half as long. */
const LEASE_MS = 20_000;
let ending: (pid: number) => Promise<void>;

const cases = orchestratorFamilyConformance({
  async open() {
    const { url, prefix } = redisNamespace();
    const client = new Redis(url);
    client.on('error', () => undefined);
    ending = (pid) => endLeasesOf(pid, client, prefix);
    const distributed = redisStreams(client, { prefix, partitions: 4, leaseMs: LEASE_MS });
    return {
      place: { url, prefix, leaseMs: LEASE_MS } satisfies FamilyPlace,
      create: (options) =>
        createOrchestrator({ ...options, type: 'distributed', transports: { distributed } }),
      close: async () => client.disconnect(),
    };
  },
  start: familyProcesses(import.meta.url, './family.process.ts', {}, (pid) => ending(pid)),
});

describe('createOrchestrator distributed over Redis Streams', () => {
  it.each(cases)('between processes: $name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
