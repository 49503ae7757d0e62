import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

const cases = instanceStoreConformance({
  async createStore() {
    const store = memoryStore();
    return { store, secondStore: store.connect(), async close() {} };
  },
});

describe('memoryStore', () => {
  it.each(cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
