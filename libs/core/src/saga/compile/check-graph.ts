import { analyze, type Machine } from '@nestjs-orchestrator/statechart';
import { targetsOf, type SagaBehaviour, type TransitionSpec } from '../behaviour.js';
import type { DefinitionFault } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
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
  const known = new Set([...unreachable, ...deadEnds].map((id) => topOf(pathOf(id))));
  for (const path of endless(definition, transitions, known))
    faults.push({ path, message: `no end can be reached from here, so the saga would live for ever` });
  for (const circle of circles(transitions)) {
    const message = `always leads round in a circle (${circle.join(' → ')}); give one of them a condition`;
    faults.push({ path: circle[0] as string, message });
  }
  return faults;
}

function topOf(path: string): string {
  return path.split('.')[0] as string;
}

/** Outermost states from which no end is reached, but for those of which something worse is known, and what leads to them. */
function endless(
  { nodes, ends }: AnySaga,
  transitions: readonly TransitionSpec[],
  known: ReadonlySet<string>,
): readonly string[] {
  const leading = new Set([...Object.keys(ends), ...known]);
  for (let size = 0; size < leading.size;) {
    size = leading.size;
    for (const spec of transitions)
      if (targetsOf(spec).some((to) => leading.has(topOf(to))))
        for (const from of spec.during) leading.add(topOf(from));
  }
  return Object.keys(nodes).filter((path) => !leading.has(path));
}

/** States that lead on without any condition, and in the end to where they began; each circle once. */
function circles(transitions: readonly TransitionSpec[]): readonly (readonly string[])[] {
  const next = unconditional(transitions);
  const found: string[][] = [];
  const seen = new Set<string>();
  for (const start of next.keys()) {
    const way: string[] = [];
    let at: string | undefined = start;
    for (; at !== undefined && !seen.has(at); at = next.get(at)) {
      seen.add(at);
      way.push(at);
    }
    if (at !== undefined && way.includes(at)) found.push([...way.slice(way.indexOf(at)), at]);
  }
  return found;
}

/** Where states lead that have no choice. */
function unconditional(transitions: readonly TransitionSpec[]): ReadonlyMap<string, string> {
  const always = transitions.filter(({ trigger }) => trigger.kind === 'always');
  const choices = new Map<string, TransitionSpec[]>();
  for (const spec of always)
    for (const from of spec.during) choices.set(from, [...(choices.get(from) ?? []), spec]);
  const next = new Map<string, string>();
  for (const [from, [only, ...more]] of choices) {
    if (more.length === 0 && only?.guard === undefined && typeof only?.to === 'string')
      next.set(from, only.to);
  }
  return next;
}
