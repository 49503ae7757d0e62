import type { TakeAnswer, TakeRequest } from './bucket-store.js';

interface Run {
  readonly key: string | undefined;
  readonly units: number;
  count: number;
}

/**
 * The requests of one turn with those that ask the same of one bucket made one, so that a hot key costs the store one step however many
 * call. The order within a key stays; between keys it means nothing.
 */
export function gathered(batch: readonly TakeRequest[]): {
  readonly requests: readonly TakeRequest[];
  /** The answer to each request of the batch. */
  answersOf(answers: readonly TakeAnswer[]): readonly TakeAnswer[];
} {
  const runs: Run[] = [];
  const latest = new Map<string | undefined, number>();
  const runOf = batch.map(({ key, units, count }) => {
    const at = latest.get(key);
    const run = at === undefined ? undefined : runs[at];
    if (run !== undefined && at !== undefined && run.units === units) {
      run.count += count;
      return at;
    }
    latest.set(key, runs.length);
    return runs.push({ key, units, count }) - 1;
  });
  return { requests: runs, answersOf: (answers) => distributed(batch, runOf, answers) };
}

function distributed(
  batch: readonly TakeRequest[],
  runOf: readonly number[],
  answers: readonly TakeAnswer[],
): TakeAnswer[] {
  const left = answers.map(({ granted }) => granted);
  return batch.map(({ count }, at) => {
    const run = runOf[at] as number;
    const granted = Math.min(count, left[run] as number);
    left[run] = (left[run] as number) - granted;
    return { granted, level: answers[run]?.level ?? 0 };
  });
}
