import type { SagaName } from '../ports/index.js';

/** Adds names, and answers all of the same sagas. */
export function learnNames(known: Set<string>, names: readonly SagaName[]): readonly SagaName[] {
  for (const { saga, version, kind, name } of names)
    known.add(JSON.stringify({ saga, version, kind, name } satisfies SagaName));
  const sagas = new Set(names.map(({ saga }) => saga));
  return [...known].map((text) => JSON.parse(text) as SagaName).filter(({ saga }) => sagas.has(saga));
}
