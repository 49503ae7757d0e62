import { OrchestratorError } from '@nestjs-orchestrator/core';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import type { BootFault } from '../boot-errors.js';
import { UnknownNameError } from '../resilience/policy-layers.js';
import type { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { readSagaBehaviour } from '../saga/saga-class.accessor.js';
import { protectedBehaviour } from '../saga/saga-class-protection.js';
import { readSagaClass, readSagaMembers, readSagaProtection } from '../saga/saga.metadata.js';
import type { Candidate, FeatureSite } from './candidates.js';
import { reportUnknown } from './unknown-names.js';

type Report = (code: BootFault['code'], message: string) => void;

/** A definition, who registered it, and what gives it behaviour. */
interface Entry {
  readonly definition: AnySaga;
  readonly modules: Set<string>;
  readonly classes: Candidate[];
  readonly built: Set<SagaBehaviour>;
}

/**
 * Brings definitions and the classes and builders that behave as them together.
 *
 * @param registry where the application's limiters and breakers are; without it what protects a saga is left out
 * @throws SagaDefinitionError for a class whose decorators contradict each other
 */
export function findSagas(
  features: readonly FeatureSite[],
  candidates: readonly Candidate[],
  registry: ResilienceRegistry | undefined,
  report: Report,
): readonly SagaBehaviour[] {
  const entries = entriesOf(features);
  reportDoubleDefinitions([...entries.values()], report);
  for (const candidate of candidates) assign(candidate, entries, report);
  return [...entries.values()].flatMap((entry) => behaviourOf(entry, registry, report) ?? []);
}

function entriesOf(features: readonly FeatureSite[]): Map<AnySaga, Entry> {
  const entries = new Map<AnySaga, Entry>();
  const entryOf = (definition: AnySaga): Entry => {
    const entry = entries.get(definition) ?? {
      definition,
      modules: new Set(),
      classes: [],
      built: new Set(),
    };
    entries.set(definition, entry);
    return entry;
  };
  for (const feature of features) {
    for (const definition of feature.definitions) {
      const { modules } = entryOf(definition);
      for (const module of feature.modules) modules.add(module);
    }
    for (const behaviour of feature.behaviours) entryOf(behaviour.definition).built.add(behaviour);
  }
  return entries;
}

function reportDoubleDefinitions(entries: readonly Entry[], report: Report): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    const name = nameOf(entry.definition);
    const other = first.get(name);
    first.set(name, other ?? entry);
    if (other === undefined) continue;
    report(
      'DUPLICATE_SAGA',
      `${name} is defined twice: registered by ${sites(other)} and, as another definition, by ${sites(entry)}. ` +
        `Share one defineSaga(), or give the newer one the next version.`,
    );
  }
}

/** Gives a class to the definition it is the `@Saga()` of. */
function assign(candidate: Candidate, entries: ReadonlyMap<AnySaga, Entry>, report: Report): void {
  const { target, module, scope } = candidate;
  const definition = readSagaClass(target);
  if (definition === undefined) {
    const member = readSagaMembers(target)[0];
    if (member === undefined) return;
    report(
      'MISSING_SAGA_DECORATOR',
      `${target.name} (in ${module}) has handlers of ${nameOf(member.definition)}, but no @Saga(). Decorate the class with it.`,
    );
    return;
  }
  if (scope !== undefined) {
    report(
      'SCOPED_PROVIDER',
      `${target.name} (in ${module}), the class of ${nameOf(definition)}, is ${scope}. Saga classes are stateless singletons: ` +
        `remove the scope, and take what belongs to a request from the event.`,
    );
  }
  const entry = entries.get(definition);
  if (entry !== undefined) {
    entry.classes.push(candidate);
    return;
  }
  report('UNREGISTERED_SAGA', unregistered(candidate, definition, [...entries.keys()]));
}

function unregistered({ target, module }: Candidate, definition: AnySaga, known: readonly AnySaga[]): string {
  const name = nameOf(definition);
  const start = `${target.name} (in ${module}) is the @Saga() of ${name}, which no forFeature registers.`;
  return known.some((other) => nameOf(other) === name)
    ? `${start} Another definition of that name is registered: use the same object in both places.`
    : `${start} Add OrchestratorModule.forFeature([definition]) to the imports of ${module}.`;
}

function behaviourOf(
  entry: Entry,
  registry: ResilienceRegistry | undefined,
  report: Report,
): SagaBehaviour | undefined {
  const { definition, classes, built } = entry;
  const name = nameOf(definition);
  const owners = [
    ...classes.map(({ target, module }) => `${target.name} (in ${module})`),
    ...[...built].map(({ label }) => label),
  ];
  if (owners.length > 1) {
    report(
      'DUPLICATE_SAGA_CLASS',
      `${name} has ${owners.length} behaviours: ${owners.join(' and ')}. Provide one of them, in one module; ` +
        `others reach its instances through @InjectSagaRepository.`,
    );
    return undefined;
  }
  const candidate = classes[0];
  if (candidate !== undefined)
    return candidate.scope === undefined
      ? behaviourOfClass(definition, candidate, registry, report)
      : undefined;
  const behaviour = [...built][0];
  if (behaviour === undefined) {
    report(
      'MISSING_SAGA_CLASS',
      `${name}, registered by ${sites(entry)}, has no behaviour. Add its @Saga() class to the providers of a module, ` +
        `or give forFeature what buildSaga(definition, …) returns.`,
    );
  }
  return behaviour;
}

function behaviourOfClass(
  definition: AnySaga,
  { instance, target, module }: Candidate,
  registry: ResilienceRegistry | undefined,
  report: Report,
): SagaBehaviour {
  const behaviour = readSagaBehaviour(definition, instance, target);
  const protection = readSagaProtection(target);
  if (protection === undefined || registry === undefined) return behaviour;
  try {
    return protectedBehaviour(behaviour, protection, registry);
  } catch (error) {
    const place = `${target.name} (in ${module})`;
    if (error instanceof UnknownNameError)
      reportUnknown(`${place} protects its saga by`, error.kind, error.unknown, registry, report);
    else if (error instanceof OrchestratorError) report('POLICY_OPTION', `${place}: ${error.message}`);
    else throw error;
    return behaviour;
  }
}

function nameOf({ name, version }: AnySaga): string {
  return `saga '${name}' version ${version}`;
}

function sites({ modules }: Entry): string {
  return [...modules].join(', ') || 'a module that nothing imports';
}
