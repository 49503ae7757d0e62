import { CompiledSagas } from './compiled-sagas.js';
import { planOf, type SimulationPlan, type SimulationSize } from './plan.js';
import { runCompiled } from './run.js';
import type { SimulationScenario } from './scenario.js';
import { shrink } from './shrink.js';

/** Options of {@link simulate}. */
export interface SimulationOptions {
  /** How many seeds. Default 1 000. */
  readonly seeds?: number;
  /** The first seed. Default 0. */
  readonly from?: number;
  readonly size?: SimulationSize;
  /** Told now and then how far it is. */
  readonly onProgress?: (done: number, steps: number) => void;
}

/** What {@link simulate} did. */
export interface SimulationReport {
  readonly seeds: number;
  readonly steps: number;
}

const SHOWN_LINES = 60;
const PROGRESS_EVERY = 500;

/** A run in which something was wrong at the end. Its seed comes to it again, and so does its plan, which is the smallest that was found. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';

  constructor(
    readonly seed: number,
    /** The plan of the seed, made smaller: `runPlan(scenario, plan, true)` runs it again. */
    readonly plan: SimulationPlan,
    readonly failures: readonly string[],
    readonly trace: readonly string[],
  ) {
    const shown = trace.slice(-SHOWN_LINES);
    const left = trace.length - shown.length;
    super(
      [
        `Seed ${seed} failed: ${failures.join(' ')}`,
        `Smallest plan: ${JSON.stringify(plan)}`,
        ...(left > 0 ? [`… ${left} steps`] : []),
        ...shown,
      ].join('\n'),
    );
  }
}

/** A run went two ways: the application or its scenario asks something that the seed does not fix. */
export class SimulationNotRepeatable extends Error {
  override readonly name = 'SimulationNotRepeatable';
  constructor(readonly seed: number) {
    super(
      `Seed ${seed} failed, but took other steps when it was run again. Look for what is not fixed by the seed: Date.now, Math.random, timers, I/O, or state that outlives a run.`,
    );
  }
}

/**
 * Runs a scenario under many seeds. A seed fixes interleavings, delays, crashes, lost answers and duplicates; the first one that fails is run
 * again to the same end, made smaller, and thrown.
 *
 * @throws SimulationFailure, SimulationNotRepeatable
 */
export async function simulate<World>(
  scenario: SimulationScenario<World>,
  { seeds = 1_000, from = 0, size, onProgress }: SimulationOptions = {},
): Promise<SimulationReport> {
  const compiled = new CompiledSagas();
  let steps = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const plan = planOf(seed, size);
    const result = await runCompiled(scenario, plan, false, compiled);
    steps += result.steps;
    if (result.failures.length > 0) await explain(scenario, plan, result.fingerprint, compiled);
    if ((seed - from + 1) % PROGRESS_EVERY === 0) onProgress?.(seed - from + 1, steps);
  }
  return { seeds, steps };
}

async function explain<World>(
  scenario: SimulationScenario<World>,
  plan: SimulationPlan,
  fingerprint: number,
  compiled: CompiledSagas,
): Promise<never> {
  const again = await runCompiled(scenario, plan, false, compiled);
  if (again.fingerprint !== fingerprint || again.failures.length === 0)
    throw new SimulationNotRepeatable(plan.seed);
  const fails = async (candidate: SimulationPlan): Promise<boolean> =>
    (await runCompiled(scenario, candidate, false, compiled)).failures.length > 0;
  const smallest = await shrink(plan, fails);
  const { failures, trace } = await runCompiled(scenario, smallest, true, compiled);
  throw new SimulationFailure(plan.seed, smallest, failures, trace);
}
