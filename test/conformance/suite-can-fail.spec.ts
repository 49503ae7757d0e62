import { memoryStore, type MemoryStore } from '@nestjs-orchestrator/core/memory';
import type { Commit, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { ConformanceFailure, instanceStoreConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

/** The memory store with one fault, of the kinds that hand-written stores have had. */
type Fault = (store: MemoryStore) => Partial<InstanceStore>;

function broken(store: MemoryStore, fault: Fault): InstanceStore {
  const methods: Partial<InstanceStore> = fault(store);
  return new Proxy(store, {
    get: (of, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(of, name);
      return typeof value === 'function' ? (value.bind(of) as unknown) : value;
    },
  });
}

/** The cases in which a store with this fault is found out. */
async function failures(fault: Fault): Promise<readonly { name: string; error: unknown }[]> {
  const cases = instanceStoreConformance({
    rounds: 5,
    async createStore() {
      const store = memoryStore();
      const second = store.connect();
      return { store: broken(store, fault), secondStore: broken(second, fault), async close() {} };
    },
  });
  const found: { name: string; error: unknown }[] = [];
  for (const { name, run } of cases) {
    await run().catch((error: unknown) => found.push({ name, error }));
  }
  return found;
}

const changed = (change: (commit: Commit) => Commit): Fault => {
  return (store) => ({ commit: (commits, options) => store.commit(commits.map(change), options) });
};

const faults: readonly { what: string; noun: string; fault: Fault }[] = [
  {
    what: 'lets one loser take its whole batch along',
    noun: 'commits',
    fault: (store) => ({
      async commit(commits, options) {
        const results = await store.commit(commits, options);
        const lost = results.some((result) => 'outcome' in result && result.outcome === 'conflict');
        return lost ? results.map(() => ({ outcome: 'conflict' }) as const) : results;
      },
    }),
  },
  {
    what: 'forgets names',
    noun: 'names of sagas',
    fault: () => ({ learnNames: async (names) => names }),
  },
  { what: 'forgets inbox rows', noun: 'inbox', fault: changed((commit) => ({ ...commit, inbox: null })) },
  {
    what: 'forgets to wake',
    noun: 'parking',
    fault: changed((commit) => ({ ...commit, wakeIfParked: null })),
  },
  {
    what: 'takes every key for one of many',
    noun: 'keys',
    fault: changed((commit) => ({
      ...commit,
      keys: commit.keys.map((key) => ({ ...key, many: true as const })),
    })),
  },
  {
    what: 'parks without looking for the instance',
    noun: 'races',
    fault: () => ({ park: async (requests) => requests.map(() => 'parked' as const) }),
  },
  {
    what: 'tidies JSON up',
    noun: 'texts',
    fault: changed((commit) => {
      const { data } = commit.next;
      return data.startsWith(' ')
        ? { ...commit, next: { ...commit.next, data: JSON.stringify(JSON.parse(data)) } }
        : commit;
    }),
  },
  {
    what: 'asks its own clock for deadlines',
    noun: 'time',
    fault: (store) => ({ claimWork: (request) => store.claimWork({ ...request, now: null }) }),
  },
  {
    what: 'never ends a lease',
    noun: 'new work',
    fault: (store) => ({
      enqueue: (work, options) => store.enqueue(work, { ...options, leaseMs: 1e12 }),
      commit: (commits, options) => store.commit(commits, { ...options, leaseMs: 1e12 }),
    }),
  },
  {
    what: 'renews leases of others',
    noun: 'leased work',
    fault: (store) => ({
      renewWork: (keys, options) => store.renewWork(keys, { ...options, owner: 'node-a' }),
    }),
  },
  {
    what: 'forgets the reason of a burial',
    noun: 'leased work',
    fault: (store) => ({ buryWork: (key, _reason, at) => store.buryWork(key, '', at) }),
  },
  {
    what: 'drops a timer whatever its token',
    noun: 'timers',
    fault: (store) => ({
      async dropTimer(timer) {
        for (const token of ['old', 'new', timer.token]) await store.dropTimer({ ...timer, token });
      },
    }),
  },
  {
    what: 'expires nothing',
    noun: 'deliveries',
    fault: () => ({ expireDeliveries: async () => 0 }),
  },
  {
    what: 'reads history backwards',
    noun: 'history',
    fault: (store) => ({ history: async (ref) => (await store.history(ref)).toReversed() }),
  },
  {
    what: 'never has a second page',
    noun: 'queries',
    fault: (store) => ({ query: async (filter, at) => ({ ...(await store.query(filter, at)), next: null }) }),
  },
  {
    what: 'keeps all tenants in one',
    noun: 'tenants and sagas',
    fault: (store) => ({ deadLetters: ({ limit = 99 }) => store.deadLetters({ limit }) }),
  },
  {
    what: 'does not look into the inbox for those who did not',
    noun: 'inbox',
    fault: changed((commit) => ({ ...commit, ifUnseen: false })),
  },
  {
    what: 'finishes a message as often as it is asked to',
    noun: 'finish',
    fault: (store) => ({
      async finish(items, options) {
        await store.finish(items, options);
        return items.map(() => ({ outcome: 'finished', leased: true }) as const);
      },
    }),
  },
  {
    what: 'commits what should be rolled back',
    noun: 'transactions',
    fault: (store) => ({
      async transaction(work, at) {
        const [result] = await store.transaction(async (tx) => Promise.allSettled([work(tx)]), at);
        if (result.status === 'rejected') throw result.reason;
        return result.value;
      },
    }),
  },
];

describe('instanceStoreConformance', () => {
  it.each(faults)('finds out a store that $what', async ({ noun, fault }) => {
    const found = await failures(fault);
    const names = found.map(({ name }) => name.slice(0, name.indexOf(':')));
    expect(names).toContain(noun);
    expect(found.filter(({ error }) => !(error instanceof ConformanceFailure))).toEqual([]);
  });

  it('has a name for each case, once', () => {
    const createStore = () => Promise.reject(new Error('not needed'));
    const names = instanceStoreConformance({ createStore }).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(140);
  });

  it('closes what it opened, also when a case fails', async () => {
    const closed: string[] = [];
    const [first] = instanceStoreConformance({
      async createStore() {
        const store = memoryStore();
        const fault: Fault = () => ({
          close: async () => void closed.push('store'),
          ping: () => Promise.reject(new Error('down')),
        });
        return { store: broken(store, fault), close: async () => void closed.push('harness') };
      },
    });
    await expect(first?.run()).rejects.toThrow('down');
    expect(closed).toEqual(['store', 'harness']);
  });
});
