import { StoreUnavailableError } from '@nestjs-orchestrator/core';

/**
 * Runs entries in one statement. If that fails, in halves: whoever is the cause ends up alone, and the others are written.
 *
 * @param alone told of an entry that fails by itself
 * @throws StoreUnavailableError, which says nothing about any entry
 */
export async function halving<E>(
  entries: readonly E[],
  run: (entries: readonly E[]) => Promise<void>,
  alone: (entry: E, error: unknown) => void,
): Promise<void> {
  try {
    await run(entries);
    return;
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) return alone(only, error);
  }
  const middle = entries.length >> 1;
  await halving(entries.slice(0, middle), run, alone);
  await halving(entries.slice(middle), run, alone);
}
