import { analyze, type Machine } from '@nestjs-orchestrator/statechart';
import type { SagaBehaviour } from '../behaviour.js';
import type { DefinitionFault } from '../saga-errors.js';
import { ABSENT } from './compiled-saga.js';

/** States that nothing leads to, or out of. Guards are taken for passable, so all findings are sure. */
export function checkGraph(
  { definition, transitions, label }: SagaBehaviour,
  machine: Machine,
): readonly DefinitionFault[] {
  const { unreachable, deadEnds } = analyze(machine);
  const faults: DefinitionFault[] = [];
  if (!transitions.some(({ trigger }) => trigger.kind === 'start'))
    faults.push({
      path: label,
      message: `nothing starts the saga; declare @StartedBy or initially().when(…)`,
    });
  const pathOf = (id: string): string => id.slice(machine.id.length + 1);
  for (const path of deadEnds.map(pathOf)) {
    if (path !== ABSENT) faults.push({ path, message: `has no way out` });
  }
  for (const path of unreachable.map(pathOf)) {
    const message = Object.hasOwn(definition.ends, path)
      ? `this end can't be reached`
      : `can't be reached from the start`;
    faults.push({ path, message });
  }
  return faults;
}
