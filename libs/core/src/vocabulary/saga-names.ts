import type { CensusLine, SagaName } from '../ports/records.js';
import type { KnownSaga } from './known-saga.js';

/** The names that instances of a version may have in the store. */
export function namesOf({ saga, version, states, compensations, timers }: KnownSaga): readonly SagaName[] {
  const named = (kind: SagaName['kind'], names: readonly string[]): readonly SagaName[] =>
    names.map((name) => ({ saga, version, kind, name }));
  return [...named('state', states), ...named('compensation', compensations), ...named('timer', timers)];
}

/** What a store would hold if each of the names stood in it once. */
export function linesOf(names: readonly SagaName[]): readonly CensusLine[] {
  return names.map(({ saga, version: definitionVersion, kind, name }): CensusLine => {
    if (kind === 'timer') return { kind: 'timers', saga, name, count: 1 };
    if (kind === 'compensation') return { kind: 'undo', saga, definitionVersion, name, count: 1 };
    return { kind: 'instances', saga, definitionVersion, state: name, status: 'running', count: 1 };
  });
}
