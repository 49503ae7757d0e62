import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { describe, it } from 'vitest';

const cases = instanceStoreConformance({
  async createStore() {
    const store = memoryStore();
    return { store, secondStore: store.connect(), async close() {} };
  },
});

describe('memoryStore', () => {
  for (const { name, run } of cases) it(name, run);
});
