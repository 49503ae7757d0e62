import { redisStore } from '@nestjs-orchestrator/redis';
import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';

let first: Redis;
let second: Redis;

beforeAll(() => {
  const { url } = redisNamespace();
  [first, second] = [new Redis(url), new Redis(url)];
});

afterAll(() => [first, second].forEach((each) => each.disconnect()));

const cases = instanceStoreConformance({
  async createStore() {
    const { prefix } = redisNamespace();
    const [store, secondStore] = [redisStore(first, { prefix }), redisStore(second, { prefix })];
    return { store, secondStore, async close() {} };
  },
});

describe('redisStore', () => {
  it.each(cases)('$name', async (sentence) => {
    await expect(sentence.run()).resolves.toBeUndefined();
  });
});
