import type { SagaBehaviour, TransitionSpec } from '../behaviour.js';
import type { DefinitionFault } from '../saga-errors.js';

type Report = (path: string, message: string) => void;

/** All faults that a definition and its behaviour have together. Pure. */
export function checkBehaviour(behaviour: SagaBehaviour): readonly DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  for (const spec of behaviour.transitions) checkNames(behaviour, spec, report);
  checkShadowed(behaviour, report);
  checkCompensations(behaviour, report);
  // The graph says nothing true while names are wrong.
  if (faults.length === 0) checkGraph(behaviour, report);
  return faults;
}

function checkNames({ definition }: SagaBehaviour, spec: TransitionSpec, report: Report): void {
  const states = definition.states as readonly string[];
  const targets = new Set([...states, ...Object.keys(definition.ends)]);
  for (const source of spec.during) {
    if (states.includes(source)) continue;
    const why = targets.has(source) ? `is an end; nothing leaves it` : `is no state of the saga`;
    report(spec.label, `during '${source}': '${source}' ${why}. States: ${states.join(', ')}`);
  }
  for (const target of targetsOf(spec)) {
    if (!targets.has(target))
      report(spec.label, `to '${target}': no state of the saga. Known: ${[...targets].join(', ')}`);
  }
  if (spec.trigger.kind !== 'after' && !definition.events.has(spec.trigger.event.messageName)) {
    report(
      spec.label,
      `'${spec.trigger.event.messageName}' is not among the saga's events; add it to 'events' of defineSaga`,
    );
  }
  if (spec.trigger.kind !== 'start' && spec.during.length === 0)
    report(spec.label, `names no state in 'during'`);
}

function targetsOf(spec: TransitionSpec): readonly string[] {
  if (spec.to === undefined) return [];
  return typeof spec.to === 'string' ? [spec.to] : spec.to;
}

/** What an unguarded transition leaves no chance for can't be meant. */
function checkShadowed(behaviour: SagaBehaviour, report: Report): void {
  const unguarded = new Map<string, string>();
  for (const spec of behaviour.transitions) {
    for (const source of spec.trigger.kind === 'start' ? ['(start)'] : spec.during) {
      const { trigger } = spec;
      const cause =
        trigger.kind === 'after' ? `after ${trigger.delayMs} ms` : `'${trigger.event.messageName}'`;
      const place = `${source} × ${cause}`;
      const winner = unguarded.get(place);
      if (winner !== undefined) {
        report(spec.label, `never runs: ${place} is already answered by ${winner}, which has no guard`);
      } else if (spec.guard === undefined) {
        unguarded.set(place, spec.label);
      }
    }
  }
}

function checkCompensations({ definition, compensations, label }: SagaBehaviour, report: Report): void {
  for (const name of definition.compensations.keys()) {
    if (!compensations.has(name)) report(label, `does not implement compensation '${name}'`);
  }
  for (const name of compensations.keys()) {
    if (!definition.compensations.has(name)) {
      report(
        label,
        `implements compensation '${name}', which 'compensations' of defineSaga does not declare`,
      );
    }
  }
}

function checkGraph(behaviour: SagaBehaviour, report: Report): void {
  const { starts, edges } = graphOf(behaviour.transitions);
  if (starts.size === 0) {
    report(behaviour.label, `nothing starts the saga; declare @StartedBy or initially().when(…)`);
  }
  const reached = reachable(starts, edges);
  const { definition } = behaviour;
  for (const state of definition.states as readonly string[]) {
    if (!reached.has(state)) report(state, `can't be reached from the start`);
    if (!leads(edges.get(state), state)) report(state, `has no way out`);
  }
  for (const end of Object.keys(definition.ends)) {
    if (!reached.has(end)) report(end, `this end can't be reached`);
  }
}

interface Graph {
  /** States that a start message leads to. */
  readonly starts: ReadonlySet<string>;
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
}

function graphOf(transitions: readonly TransitionSpec[]): Graph {
  const starts = new Set<string>();
  const edges = new Map<string, Set<string>>();
  for (const spec of transitions) {
    for (const target of targetsOf(spec)) {
      if (spec.trigger.kind === 'start') starts.add(target);
      for (const source of spec.during)
        edges.set(source, (edges.get(source) ?? new Set<string>()).add(target));
    }
  }
  return { starts, edges };
}

function reachable(
  from: ReadonlySet<string>,
  edges: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const seen = new Set(from);
  // A set that grows while it is walked is walked to its end.
  for (const state of seen) for (const next of edges.get(state) ?? []) seen.add(next);
  return seen;
}

function leads(targets: ReadonlySet<string> | undefined, away: string): boolean {
  return targets !== undefined && [...targets].some((target) => target !== away);
}
