import type { SimulationPlan } from './plan.js';

/** Plans that are a little smaller, the much smaller ones first. */
function* smaller(plan: SimulationPlan): Generator<SimulationPlan> {
  const { faults, inputs, nodes, chaos } = plan;
  if (faults.length > 1) yield { ...plan, faults: [] };
  for (const [index] of faults.entries()) yield { ...plan, faults: faults.toSpliced(index, 1) };
  if (inputs > 1) yield { ...plan, inputs: 1 };
  if (inputs > 2) yield { ...plan, inputs: inputs - 1 };
  if (nodes > 1) yield { ...plan, nodes: nodes - 1 };
  if (chaos > 0) {
    yield { ...plan, chaos: 0 };
    yield { ...plan, chaos: Math.floor(chaos / 2) };
    yield { ...plan, chaos: chaos - 1 };
  }
}

/** Runs of shrinking one failure, at most. */
const MOST_RUNS = 300;

/** The smallest plan on the way down from one that fails; a plan without its last fault or its random choices is no longer the same run, and is tried. */
export async function shrink(
  plan: SimulationPlan,
  fails: (plan: SimulationPlan) => Promise<boolean>,
): Promise<SimulationPlan> {
  let smallest = plan;
  let runs = 0;
  for (let found = true; found && runs < MOST_RUNS;) {
    found = false;
    for (const candidate of smaller(smallest)) {
      if (runs++ >= MOST_RUNS) break;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}
