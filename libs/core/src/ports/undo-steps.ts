import type { JsonText } from './records.js';

/** Steps that nobody has to run any more. */
const SETTLED: ReadonlySet<unknown> = new Set(['done', 'kept', 'skipped', 'resolved']);

interface Step {
  readonly name: string;
  readonly status: string;
}

/** Names of the undo steps of an instance that are not done, for a store's census; `null` where somebody else has written what is no list of steps. */
export function openUndoSteps(undo: JsonText): readonly string[] | null {
  try {
    const steps: unknown = JSON.parse(undo);
    if (!Array.isArray(steps) || !steps.every(isStep)) return null;
    return steps.filter(({ status }) => !SETTLED.has(status)).map(({ name }) => name);
  } catch {
    return null;
  }
}

function isStep(step: unknown): step is Step {
  if (typeof step !== 'object' || step === null) return false;
  const { name, status } = step as Partial<Record<keyof Step, unknown>>;
  return typeof name === 'string' && typeof status === 'string';
}
