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
  const dependencies = [
    ...wrapper.getCtorMetadata(),
    ...wrapper.getPropertiesMetadata().map((property) => property.wrapper),
  ];
  for (const dependency of dependencies) {
    // Holes: a parameter that was not resolved has no wrapper.
    if (dependency === undefined || dependency.isDependencyTreeStatic()) continue;
    return scopedDependency(dependency, seen) ?? String(dependency.name);
  }
  return undefined;
}
