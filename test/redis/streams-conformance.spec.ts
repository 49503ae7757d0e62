import { redisStreams } from '@nestjs-orchestrator/redis';
import { transportConformance } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';

const cases = transportConformance({
  limitedRegistries: false,
  async open() {
    const { url, prefix } = redisNamespace();
    const clients: Redis[] = [];
    return {
      clusters: ['a', 'b'],
      transport: () => {
        const client = new Redis(url);
        clients.push(client);
        return redisStreams(client, {
          prefix,
          partitions: 4,
          // One who finds its name taken looks again after half of it: long enough for a sign of life of the holder.
          leaseMs: 10_000,
          maxPending: 64,
          maxInboxFrames: 64,
        });
      },
      async close() {
        for (const client of clients) client.disconnect();
      },
    };
  },
});

describe('redisStreams as a transport between endpoints', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
