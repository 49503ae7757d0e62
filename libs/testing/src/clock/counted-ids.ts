import type { IdSource } from '@nestjs-orchestrator/core/ports';

/** Ids in a row: `id-1`, `id-2`, …; the same in every run. Give each node of a test a prefix of its own. */
export function countedIds(prefix = 'id'): IdSource {
  let count = 0;
  return { next: () => `${prefix}-${(count += 1)}` };
}
