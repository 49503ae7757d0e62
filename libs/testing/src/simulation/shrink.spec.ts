import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { planOf, type SimulationPlan } from './plan.js';
import { shrink } from './shrink.js';

const SIZE = { nodes: 3, inputs: 6, faults: 6, steps: 100 };

it('keeps what makes a plan fail, and drops the rest', async () => {
  const crash = { kind: 'crash', step: 9, node: 0 } as const;
  const plan: SimulationPlan = { ...planOf(3, SIZE), nodes: 3, inputs: 6, chaos: 600 };
  const fails = async ({ faults, inputs, chaos }: SimulationPlan): Promise<boolean> =>
    faults.some(({ step }) => step === crash.step) && inputs >= 2 && chaos >= 40;
  const smallest = await shrink({ ...plan, faults: [...plan.faults, crash] }, fails);
  expect(smallest).toEqual({ ...plan, nodes: 1, inputs: 2, chaos: 40, faults: [crash] });
});

it('gives a plan that fails, whatever the reason', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(10_000),
      fc.nat(3),
      fc.nat(6),
      fc.nat(600),
      async (seed, count, inputs, chaos) => {
        const plan = planOf(seed, SIZE);
        const fails = async (of: SimulationPlan): Promise<boolean> =>
          of.faults.length >= count && of.inputs >= inputs && of.chaos >= chaos;
        fc.pre(await fails(plan));
        expect(await fails(await shrink(plan, fails))).toBe(true);
      },
    ),
  );
});

it('the plan of a seed is the same each time, within its bounds', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const plan = planOf(seed, SIZE);
      expect(planOf(seed, SIZE)).toEqual(plan);
      expect(plan.nodes).toBeLessThanOrEqual(SIZE.nodes);
      expect(plan.inputs).toBeLessThanOrEqual(SIZE.inputs);
      expect(plan.faults.length).toBeLessThanOrEqual(SIZE.faults);
      expect(plan.faults.every(({ step }) => step >= 1 && step <= SIZE.steps)).toBe(true);
    }),
  );
});
