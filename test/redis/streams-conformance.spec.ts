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
          leaseMs: 2_000,
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

/**
 * It fills the sender's room and takes for granted that this stays full. Here the server takes from it meanwhile, so that the send that waits is let in before its
 * peer goes. That one which does wait is refused is what "a sender waits where the inbox…" of streams.spec.ts and `refuseAll` are about.
 */
const LET_IN = /^rejects the sends that wait for an endpoint/;

describe('redisStreams as a transport between endpoints', () => {
  it.each(cases.filter(({ name }) => !LET_IN.test(name)))('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
