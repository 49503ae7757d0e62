import type { BootFault } from '../boot-errors.js';
import type { NamedKind } from '../resilience/resilience.metadata.js';
import type { ResilienceRegistry } from '../resilience/resilience-registry.js';

/** What the kinds of named things are called, and under which option they are made. */
export const NOUNS: Readonly<Record<NamedKind, readonly [noun: string, option: string]>> = {
  breaker: ['circuit breaker', 'breakers'],
  limiter: ['rate limiter', 'limiters'],
  bulkhead: ['bulkhead', 'bulkheads'],
  'retry-budget': ['retry budget', 'retryBudgets'],
};

/** Reports a name that nobody configured, with those that are there. */
export function reportUnknown(
  place: string,
  kind: NamedKind,
  name: string,
  registry: ResilienceRegistry,
  report: (code: BootFault['code'], message: string) => void,
): void {
  const [noun, option] = NOUNS[kind];
  const known = registry.names(kind);
  const list = known.length === 0 ? 'there are none' : `known are '${known.join("', '")}'`;
  report(
    'UNKNOWN_NAME',
    `${place} ${noun} '${name}'; ${list}. Add it to resilience.${option} of OrchestratorModule.forRoot().`,
  );
}
