import type { MemoryStore } from '@nestjs-orchestrator/core/memory';
import {
  planOf,
  runPlan,
  simulate,
  SimulationFailure,
  SimulationNotRepeatable,
  type SimulationPlan,
} from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { orderScenario } from './orders.js';

/** `npm run simulate -- --seeds N` runs others, or more, without a test. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 10_000);

/** A store with some methods replaced, on all of its connections. */
function withFault(change: (store: MemoryStore) => Partial<MemoryStore>) {
  const broken = (store: MemoryStore): MemoryStore => {
    const changed = change(store);
    return new Proxy(store, {
      get: (of, name) => {
        if (name === 'connect') return () => broken(of.connect());
        const value: unknown = Reflect.get(changed, name) ?? Reflect.get(of, name);
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
  };
  return broken;
}

const faults = {
  'a commit that does not look into the inbox': withFault((store) => ({
    commit: (commits, options) =>
      store.commit(
        commits.map((commit) => ({ ...commit, ifUnseen: false })),
        options,
      ),
    load: async (requests, at) =>
      (await store.load(requests, at)).map((loaded) => ({ ...loaded, seen: null })),
  })),
  'a commit that overwrites what came in between': withFault((store) => ({
    async commit(commits, options) {
      const results = [...(await store.commit(commits, options))];
      for (const [place, commit] of commits.entries()) {
        const result = results[place];
        if (result === undefined || result instanceof Error || result.outcome === 'committed') continue;
        const { ref, inbox } = commit;
        const request = { ...ref, by: { id: ref.id }, messageId: inbox?.messageId ?? '' };
        const [loaded] = await store.load([request], options);
        const expectedVersion = loaded?.instance?.version ?? 0;
        results.splice(place, 1, ...(await store.commit([{ ...commit, expectedVersion }], options)));
      }
      return results;
    },
  })),
  'leases that end at once': withFault((store) => ({
    renewWork: async () => undefined,
    claimWork: (request) => store.claimWork({ ...request, leaseMs: 0 }),
    finish: (items, options) => store.finish(items, { ...options, leaseMs: 0 }),
    async consumed(messages) {
      return messages.map(() => null);
    },
    completeWork: async () => undefined,
  })),
};

async function failureOf(broken: (store: MemoryStore) => MemoryStore): Promise<SimulationFailure> {
  const error: unknown = await simulate(orderScenario(broken), { seeds: 3_000 }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SimulationFailure) return error;
  throw new Error('no seed failed', { cause: error });
}

describe('simulation of the order application', () => {
  it(`finds nothing wrong under ${SEEDS} seeds`, { timeout: 600_000 }, async () => {
    const { seeds, steps } = await simulate(orderScenario(), { seeds: SEEDS });
    expect(seeds).toBe(SEEDS);
    expect(steps).toBeGreaterThan(seeds * 20);
  });

  it('takes the same steps for the same plan, and others for another seed', async () => {
    const runs = await Promise.all([7, 7, 8].map((seed) => runPlan(orderScenario(), planOf(seed), true)));
    expect(runs[0]?.trace).toEqual(runs[1]?.trace);
    expect(runs[0]?.fingerprint).toBe(runs[1]?.fingerprint);
    expect(runs[2]?.fingerprint).not.toBe(runs[0]?.fingerprint);
  });

  it.each(Object.entries(faults))('finds %s, and makes the plan smaller', async (_, broken) => {
    const failure = await failureOf(broken);
    const again = await runPlan(orderScenario(broken), failure.plan, true);
    expect(again.failures).toEqual(failure.failures);
    expect(again.trace).toEqual(failure.trace);
    const { faults: before, inputs } = planOf(failure.seed);
    expect(failure.plan.faults.length).toBeLessThanOrEqual(before.length);
    expect(failure.plan.inputs).toBeLessThanOrEqual(inputs);
    expect(await smallerOnesPass(broken, failure.plan)).toBe(true);
    expect(failure.message).toContain(`Seed ${failure.seed} failed`);
  });

  it('says so when a run can not be repeated', async () => {
    let runs = 0;
    const scenario = { ...orderScenario(), check: async () => (runs++ === 0 ? ['once'] : []) };
    await expect(simulate(scenario, { seeds: 1 })).rejects.toBeInstanceOf(SimulationNotRepeatable);
  });
});

/** Without any one of its faults the plan does not fail: none of them is there for nothing. */
async function smallerOnesPass(
  broken: (store: MemoryStore) => MemoryStore,
  plan: SimulationPlan,
): Promise<boolean> {
  const without = plan.faults.map((_, index) => ({ ...plan, faults: plan.faults.toSpliced(index, 1) }));
  const results = await Promise.all(without.map((each) => runPlan(orderScenario(broken), each)));
  return results.every(({ failures }) => failures.length === 0);
}
