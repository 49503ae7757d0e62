import { type ChannelGroup, createOrchestrator } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { orchestratorFamilyConformance } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const cases = orchestratorFamilyConformance(
  {
    // Only there to end a hang: each acknowledged send waits for the server's disk twice.
    patienceMs: 30_000,
    async open() {
      const { url, prefix } = redisNamespace();
      const clients: Redis[] = [];
      const proxies = new Map<ChannelGroup, TcpProxy>();
      return {
        async create(options) {
          const proxy = await startTcpProxy(Number(new URL(url).port));
          const client = new Redis(proxy.port, '127.0.0.1');
          client.on('error', () => undefined);
          clients.push(client);
          const distributed = redisStreams(client, {
            prefix,
            partitions: 4,
            leaseMs: 4_000,
            timeoutMs: 2_000,
          });
          const group = await createOrchestrator({
            ...options,
            type: 'distributed',
            transports: { distributed },
          });
          proxies.set(group, proxy);
          return group;
        },
        /** A process that the server hears nothing of any more is a dead one to the others. */
        async kill(group) {
          proxies.get(group)?.cut();
        },
        async close() {
          for (const client of clients) client.disconnect();
          for (const proxy of proxies.values()) await proxy.close();
        },
      };
    },
  },
  { kill: true },
);

describe('createOrchestrator distributed over Redis Streams', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
