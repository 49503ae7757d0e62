import { OrchestratorError } from '../errors/orchestrator-error.js';
import type { InstanceStore } from '../ports/instance-store.js';
import type { CensusLine } from '../ports/records.js';
import { sagasOf, type Build } from './build.js';
import { checkCensus, type Finding } from './check-census.js';
import type { KnownSaga } from './known-saga.js';
import { linesOf, namesOf } from './saga-names.js';

/** What a node does at its start about instances that it could not continue: refuses to start, says so, or doesn't look. */
export type StoredNamesCheck = 'error' | 'warn' | 'off';

/** The store holds instances, undo steps or timers that this build can't continue. */
export class StoredNamesError extends OrchestratorError {
  readonly code = 'STORED_NAMES';
  constructor(readonly findings: readonly Finding[]) {
    super(
      `The store holds what this build can't continue:\n${findings.map(({ message }) => `  ${message}`).join('\n')}\n` +
        `Deploy a build that can, or start with { check: 'warn' }: what it can't continue is held then until one does.`,
    );
  }
}

/**
 * Takes the names of the node's sagas down, and tells whether any name that was ever taken down of them is lacking now. Costs one statement of as
 * many rows as the definitions have names; only if one is lacking is it worth to look whether anything in the store still has it.
 */
export async function lacksNames(store: InstanceStore, sagas: readonly KnownSaga[]): Promise<boolean> {
  const known = await store.learnNames(sagas.flatMap(namesOf));
  return checkCensus(linesOf(known), buildOf(sagas)).length > 0;
}

/** What instances of the node's sagas have that the node lacks. What other sagas and destinations have is the business of others. */
export async function findLacking(
  store: InstanceStore,
  sagas: readonly KnownSaga[],
): Promise<readonly Finding[]> {
  const own = sagasOf({ sagas });
  const lines = (await store.census()).filter((line) => isOf(line, own));
  return checkCensus(lines, buildOf(sagas));
}

function isOf(line: CensusLine, own: ReadonlyMap<string, unknown>): boolean {
  return line.kind !== 'work' && own.has(line.saga);
}

function buildOf(sagas: readonly KnownSaga[]): Build {
  return { sagas, handlers: [], remotes: [], served: [] };
}
