import type { DiscoveryService } from '@nestjs/core';

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Why a provider is no singleton; `undefined` for one that is. Names the dependency that makes it request-scoped. */
export function scopeOf(wrapper: InstanceWrapper): string | undefined {
  if (wrapper.isTransient) return 'transient';
  if (wrapper.isDependencyTreeStatic()) return undefined;
  const culprit = scopedDependency(wrapper, new Set());
  return culprit === undefined ? 'request-scoped' : `request-scoped, since it depends on ${culprit}`;
}

function scopedDependency(wrapper: InstanceWrapper, seen: Set<InstanceWrapper>): string | undefined {
  if (seen.has(wrapper)) return undefined;
  seen.add(wrapper);
  for (const dependency of dependenciesOf(wrapper)) {
    if (dependency.isDependencyTreeStatic()) continue;
    return scopedDependency(dependency, seen) ?? String(dependency.name);
  }
  return undefined;
}

/** Nest leaves the lists out where there is nothing to inject, and leaves holes for what it did not resolve. */
function dependenciesOf(wrapper: InstanceWrapper): readonly InstanceWrapper[] {
  const parameters = wrapper.getCtorMetadata() as readonly (InstanceWrapper | undefined)[] | undefined;
  const properties = wrapper.getPropertiesMetadata() as
    ReturnType<InstanceWrapper['getPropertiesMetadata']> | undefined;
  return [...(parameters ?? []), ...(properties ?? []).map((property) => property.wrapper)].filter(
    (dependency) => dependency !== undefined,
  );
}
