import type { DiscoveryService } from '@nestjs/core';
import type { Feature } from '../feature/feature.providers.js';
import { readHandles } from '../handlers/handles.metadata.js';
import type { DecoratedClass } from '../saga/saga-class.accessor.js';
import { FEATURE } from '../module/orchestrator.tokens.js';
import { readMachineClass, readMachineMembers } from '../machine/machine.metadata.js';
import { readInjections, readPolicies } from '../resilience/resilience.metadata.js';
import { readSagaClass, readSagaMembers } from '../saga/saga.metadata.js';
import { inheritedMembers } from './inherited.js';
import { scopeOf } from './provider-scope.js';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A provider or controller that carries decorators of ours. */
export interface Candidate {
  readonly target: DecoratedClass;
  readonly instance: object;
  /** Name of the module it is provided in. */
  readonly module: string;
  /** Why it is no singleton, if it isn't. */
  readonly scope: string | undefined;
  /** Whether it is a controller. */
  readonly controller: boolean;
}

/** What a `forFeature` was given, and the names of the modules that import it. */
export interface FeatureSite extends Feature {
  readonly modules: readonly string[];
}

/** All decorated providers and controllers, each instance once: aliases are skipped. */
export function findCandidates(
  providers: readonly InstanceWrapper[],
  controllers: readonly InstanceWrapper[],
): readonly Candidate[] {
  const seen = new Set<object>();
  const found: Candidate[] = [];
  const seats = [
    ...providers.map((wrapper) => ({ wrapper, controller: false })),
    ...controllers.map((wrapper) => ({ wrapper, controller: true })),
  ];
  for (const { wrapper, controller } of seats) {
    const target = wrapper.isAlias ? undefined : classOf(wrapper);
    if (target === undefined || !isDecorated(target)) continue;
    const instance: object = (wrapper.instance as object | undefined) ?? {};
    if (seen.has(instance)) continue;
    seen.add(instance);
    const module = wrapper.host?.name ?? '(no module)';
    found.push({ target, instance, module, scope: scopeOf(wrapper), controller });
  }
  return found;
}

/** What all `forFeature` modules were given. */
export function findFeatures(wrappers: readonly InstanceWrapper[]): readonly FeatureSite[] {
  return wrappers
    .filter((wrapper) => wrapper.token === FEATURE)
    .map((wrapper) => ({ ...(wrapper.instance as Feature), modules: importersOf(wrapper, wrappers) }));
}

/** The class whose decorators count: for a factory's or a given value, that of what came out. */
function classOf(wrapper: InstanceWrapper): DecoratedClass | undefined {
  if (!wrapper.isNotMetatype) return wrapper.metatype as DecoratedClass;
  const instance: unknown = wrapper.instance;
  if (typeof instance !== 'object' || instance === null) return undefined;
  const prototype = Object.getPrototypeOf(instance) as { constructor?: unknown } | null;
  return typeof prototype?.constructor === 'function' ? prototype.constructor : undefined;
}

/** Base classes are looked at only to tell that their decorators don't count. */
function isDecorated(target: DecoratedClass): boolean {
  return (
    readSagaClass(target) !== undefined ||
    readMachineClass(target) !== undefined ||
    readMachineMembers(target).length > 0 ||
    readSagaMembers(target).length > 0 ||
    readHandles(target).length > 0 ||
    readPolicies(target).length > 0 ||
    readInjections(target).length > 0 ||
    inheritedMembers(target).length > 0
  );
}

function importersOf(wrapper: InstanceWrapper, wrappers: readonly InstanceWrapper[]): readonly string[] {
  const feature = wrapper.host;
  const modules = new Set(wrappers.map((other) => other.host));
  const importers = [...modules].filter((module) => feature !== undefined && module?.imports.has(feature));
  return importers.map((module) => module?.name ?? '(no module)');
}
