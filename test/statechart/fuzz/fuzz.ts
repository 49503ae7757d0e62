import { type Comparison, compareCase } from './compare.js';
import type { GenCase } from './config.js';
import { generateCase } from './generate.js';
import { Random } from './random.js';
import { shrink } from './shrink.js';

export interface FuzzOptions {
  readonly seed: number;
  readonly machines: number;
  readonly events: number;
  /** Every n-th machine is also held against the engine's own laws. */
  readonly lawsEvery: number;
  readonly onProgress?: (machines: number, events: number) => void;
}

export interface FuzzReport {
  readonly machines: number;
  readonly events: number;
  /** Configs that our definition check refused, so that nothing was compared. */
  readonly refused: number;
  readonly failure: {
    readonly seed: number;
    readonly found: GenCase;
    readonly comparison: Comparison;
  } | null;
}

/**
 * Compares random machines in both engines; stops at the first difference and shrinks it. Seeds count up from `seed`. A machine that
 * ends or throws in its first step is compared too, but does not count as one of `machines`.
 */
export function fuzz({ seed, machines, events: length, lawsEvery, onProgress }: FuzzOptions): FuzzReport {
  let events = 0;
  let refused = 0;
  for (let index = 0, lively = 0; lively < machines; index++) {
    const laws = index % lawsEvery === 0;
    const found = generateCase(new Random(seed + index), length);
    const comparison = compareCase(found, laws);
    events += comparison.events;
    if (comparison.refused === true) refused++;
    if (comparison.difference !== null) {
      return { machines: lively, events, refused, failure: failureOf(found, seed + index, comparison, laws) };
    }
    if (comparison.events <= 1) continue;
    lively++;
    onProgress?.(lively, events);
  }
  return { machines, events, refused, failure: null };
}

function failureOf(
  found: GenCase,
  seed: number,
  comparison: Comparison,
  laws: boolean,
): FuzzReport['failure'] {
  const kind = kindOf(comparison);
  const small = shrink(found, (candidate) => kindOf(compareCase(candidate, laws)) === kind);
  return { seed, found: small, comparison: compareCase(small, laws) };
}

/** Keeps the shrinker from drifting to another difference. */
function kindOf({ difference }: Comparison): string | null {
  if (difference === null) return null;
  const { what, ours, theirs } = difference;
  return what === 'throwing' ? `${what} ${sketch(ours)} ${sketch(theirs)}` : what;
}

function sketch(of: unknown): string {
  return typeof of === 'string' ? of.slice(0, 40) : 'went well';
}
