import { seededRandom } from '../clock/seeded-random.js';

/** Something that goes wrong in a run, at a step of it. */
export type SimulatedFault =
  /** A node ends without a word; what it had asked the store for may or may not have been done. A new one takes its place. */
  | { readonly kind: 'crash'; readonly step: number; readonly node: number }
  /** A node stands still for a while, and goes on as if nothing had happened: its leases may be over by then. */
  | { readonly kind: 'pause'; readonly step: number; readonly node: number; readonly ms: number }
  /** The next call of a node is done by the store, but the answer is an error: the node can't know. */
  | { readonly kind: 'lost answer'; readonly step: number; readonly node: number }
  /** A message from outside is offered once more, with its id. */
  | { readonly kind: 'duplicate'; readonly step: number; readonly input: number };

/** One run, as data: it can be written down, run again and made smaller. */
export interface SimulationPlan {
  /** Fixes inputs and every choice of the scheduler. */
  readonly seed: number;
  readonly nodes: number;
  /** How many messages come from outside; the first so many of the scenario's. */
  readonly inputs: number;
  /** Steps in which the scheduler picks at random; after them it takes what waits longest. */
  readonly chaos: number;
  readonly faults: readonly SimulatedFault[];
}

/** Bounds of the plans that seeds give. */
export interface SimulationSize {
  /** Nodes, at most. Default 3. */
  readonly nodes?: number;
  /** Messages from outside, at most. Default 4. */
  readonly inputs?: number;
  /** Faults, at most. Default 4. */
  readonly faults?: number;
  /** Steps within which faults happen. Default 150. */
  readonly steps?: number;
}

/** Twice as long as leases last. */
const LONGEST_PAUSE_MS = 12_000;

/** The plan of a seed. */
export function planOf(
  seed: number,
  { nodes = 3, inputs = 4, faults = 4, steps = 150 }: SimulationSize = {},
): SimulationPlan {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random.next() * most);
  const plan = { seed, nodes: 1 + upTo(nodes), inputs: 1 + upTo(inputs), chaos: steps * 4 };
  const fault = (): SimulatedFault => {
    const at = { step: 1 + upTo(steps), node: upTo(plan.nodes) };
    const kind = upTo(4);
    if (kind === 0) return { kind: 'crash', ...at };
    if (kind === 1) return { kind: 'pause', ...at, ms: 1 + upTo(LONGEST_PAUSE_MS) };
    if (kind === 2) return { kind: 'lost answer', ...at };
    return { kind: 'duplicate', step: at.step, input: upTo(plan.inputs) };
  };
  return { ...plan, faults: Array.from({ length: upTo(faults + 1) }, fault) };
}
