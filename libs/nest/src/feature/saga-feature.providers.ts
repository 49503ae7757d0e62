import type { Provider } from '@nestjs/common';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import { ORCHESTRATOR_HOST, SAGA_FEATURE } from '../module/orchestrator.tokens.js';
import { getSagaRepositoryToken } from './saga-repository.tokens.js';

/** What one `forFeature` was given. */
export interface SagaFeature {
  readonly definitions: readonly AnySaga[];
  readonly behaviours: readonly SagaBehaviour[];
}

type Entry = AnySaga | SagaBehaviour;

/** Providers of one `forFeature` module. */
export function featureProviders(entries: readonly Entry[]): Provider[] {
  entries.forEach(assertEntry);
  const feature: SagaFeature = {
    definitions: definitionsOf(entries),
    behaviours: entries.filter(isBehaviour),
  };
  const repositories = feature.definitions.map((definition) => ({
    provide: getSagaRepositoryToken(definition),
    useFactory: (host: OrchestratorHost) => host.repository(definition),
    inject: [ORCHESTRATOR_HOST],
  }));
  return [{ provide: SAGA_FEATURE, useValue: feature }, ...repositories];
}

/** Tokens of the repositories that one `forFeature` module exports. */
export function repositoryTokens(entries: readonly Entry[]): symbol[] {
  return definitionsOf(entries).map(getSagaRepositoryToken);
}

function definitionsOf(entries: readonly Entry[]): readonly AnySaga[] {
  return entries.map((entry) => (isBehaviour(entry) ? entry.definition : entry));
}

function isBehaviour(entry: Entry): entry is SagaBehaviour {
  return 'definition' in entry;
}

function assertEntry(entry: unknown, index: number): void {
  if (typeof entry === 'object' && entry !== null && ('definition' in entry || 'dataSchema' in entry)) return;
  const found = typeof entry === 'function' ? `class or function ${entry.name}` : String(entry);
  throw new OrchestratorConfigurationError(
    `OrchestratorModule.forFeature() was given ${found} at position ${index}. It takes what defineSaga() or buildSaga() returned; ` +
      `saga classes belong in the module's providers. An undefined here is mostly a circular import.`,
  );
}
