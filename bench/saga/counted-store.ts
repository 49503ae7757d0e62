import type { Commit, InstanceStore } from '@nestjs-orchestrator/core/ports';

/** Calls of each method of a store, how many items they had, and how long they took together. */
export type Counts = Map<string, Count>;

/** The store, with its calls counted and its commits told as soon as they are durable. */
export function counted(
  store: InstanceStore,
  committed: (commit: Commit) => void,
): { readonly store: InstanceStore; readonly counts: Counts } {
  const counts: Counts = new Map();
  const watched = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const entry = count(counts, String(name), args[0]);
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) time(entry, result);
        if (name !== 'commit') return result;
        return tell(args[0] as readonly Commit[], result as ReturnType<InstanceStore['commit']>, committed);
      };
    },
  });
  return { store: watched, counts };
}

interface Count {
  calls: number;
  items: number;
  ms: number;
  /** How long each call took, in milliseconds. */
  readonly times: number[];
}

function time(entry: Count, result: Promise<unknown>): void {
  const began = performance.now();
  const ended = (): void => {
    const took = performance.now() - began;
    entry.ms += took;
    entry.times.push(took);
  };
  result.then(ended, ended);
}

function count(counts: Counts, name: string, first: unknown): Count {
  const entry = counts.get(name) ?? { calls: 0, items: 0, ms: 0, times: [] };
  counts.set(name, entry);
  entry.calls += 1;
  entry.items += Array.isArray(first) ? first.length : 1;
  return entry;
}

async function tell(
  commits: readonly Commit[],
  answer: ReturnType<InstanceStore['commit']>,
  committed: (commit: Commit) => void,
): ReturnType<InstanceStore['commit']> {
  const results = await answer;
  results.forEach((result, index) => {
    const commit = commits[index];
    if (commit !== undefined && !(result instanceof Error) && result.outcome === 'committed')
      committed(commit);
  });
  return results;
}
