import { redisStore } from '@nestjs-orchestrator/redis';
import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.js';
import { redisFolder, redisNamespace } from '../support/redis.js';

let servers: RedisCluster;
let first: Cluster;
let second: Cluster;

beforeAll(async () => {
  servers = await startRedisCluster(redisFolder());
  [first, second] = [new Cluster([...servers.seeds]), new Cluster([...servers.seeds])];
});

afterAll(async () => {
  [first, second].forEach((each) => each.disconnect());
  await servers.stop();
});

const cases = instanceStoreConformance({
  async createStore() {
    const { prefix } = redisNamespace();
    const [store, secondStore] = [redisStore(first, { prefix }), redisStore(second, { prefix })];
    return { store, secondStore, async close() {} };
  },
});

describe('redisStore on a cluster', () => {
  it.each(cases)('$name', async (sentence) => {
    await expect(sentence.run()).resolves.toBeUndefined();
  });
});
