import { openUndoSteps, type CensusLine } from '../ports/index.js';
import type { InstanceRow } from './instances.js';
import type { MemoryData } from './memory-data.js';

/** Counts what a new build must be able to continue. */
export function census(data: MemoryData): readonly CensusLine[] {
  const lines = new Map<string, CensusLine>();
  const count = (line: CensusLine): void => {
    const { count: more, ...group } = line;
    const name = JSON.stringify(group);
    const before = lines.get(name)?.count ?? 0;
    lines.set(name, { ...line, count: before + more });
  };
  for (const row of data.instances.all()) if (!row.ended) countInstance(row, count);
  for (const { saga, name } of data.timers.all()) count({ kind: 'timers', saga, name, count: 1 });
  for (const [destination, many] of data.outbox.counts()) count({ kind: 'work', destination, count: many });
  return [...lines.values()];
}

function countInstance(row: InstanceRow, count: (line: CensusLine) => void): void {
  const { saga, definitionVersion, state, status } = row;
  count({ kind: 'instances', saga, definitionVersion, state, status, count: 1 });
  const open = openUndoSteps(row.undo);
  if (open === null) count({ kind: 'unreadable', saga, definitionVersion, count: 1 });
  for (const name of open ?? []) count({ kind: 'undo', saga, definitionVersion, name, count: 1 });
}
