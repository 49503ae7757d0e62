import { readHandles } from '../handlers/handles.metadata.js';
import { readMachineMembers } from '../machine/machine.metadata.js';
import { readPolicies } from '../resilience/resilience.metadata.js';
import { readSagaMembers } from '../saga/saga.metadata.js';
import type { DecoratedClass } from '../saga/saga-class.accessor.js';

/** Methods with decorators of ours in the base classes of a class, which don't count for it: `Base.method`. */
export function inheritedMembers(target: DecoratedClass): readonly string[] {
  const found: string[] = [];
  for (
    let base = Object.getPrototypeOf(target) as DecoratedClass | null;
    base !== null && base !== Function.prototype;
    base = Object.getPrototypeOf(base) as DecoratedClass | null
  ) {
    const { name } = base;
    for (const { key } of [
      ...readHandles(base),
      ...readSagaMembers(base),
      ...readMachineMembers(base),
      ...readPolicies(base),
    ])
      found.push(`${name}.${String(key)}`);
  }
  return found;
}
