import { causeOf, targetsOf, type HookSpec, type SagaBehaviour, type TransitionSpec } from '../behaviour.js';
import { isMessageType } from '../../message/message.js';
import { NO_MESSAGE, type Report } from '../definition/report.js';
import type { DefinitionFault } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import { isPhase, placedStates, type StateNode } from '../states.js';

/** All faults that a definition and its behaviour have together, as far as names go. Pure. */
export function checkBehaviour(behaviour: SagaBehaviour): readonly DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  for (const { trigger, label } of behaviour.transitions)
    if ((trigger.kind === 'start' || trigger.kind === 'event') && !isMessageType(trigger.event))
      report(label, `its message ${NO_MESSAGE}`);
  if (faults.length > 0) return faults;
  for (const spec of behaviour.transitions) {
    checkPlaces(behaviour.definition, spec, report);
    checkTrigger(behaviour, spec, report);
  }
  for (const hook of behaviour.hooks) checkHook(behaviour.definition, hook, report);
  checkShadowed(behaviour, report);
  checkCompensations(behaviour, report);
  checkActivities(behaviour, report);
  checkPolicies(behaviour, report);
  checkAnswered(behaviour, report);
  return faults;
}

function checkPlaces(definition: AnySaga, spec: TransitionSpec, report: Report): void {
  const states = definition.states as readonly string[];
  const targets = new Set([...states, ...Object.keys(definition.ends)]);
  for (const source of spec.during) {
    if (isPhase(source)) checkPhase(source, spec, report);
    else checkSource(definition, source, targets, (message) => report(spec.label, message));
  }
  for (const target of targetsOf(spec)) {
    if (!targets.has(target))
      report(spec.label, `to '${target}': no state of the saga. Known: ${[...targets].join(', ')}`);
  }
  if (spec.trigger.kind !== 'start' && spec.during.length === 0)
    report(spec.label, `names no state in 'during'`);
  if (typeof spec.to === 'object' && spec.to.length === 0)
    report(spec.label, `to: names no target; list all that the handler may return`);
}

function checkSource(
  definition: AnySaga,
  source: string,
  targets: ReadonlySet<string>,
  report: (message: string) => void,
): void {
  const states = definition.states as readonly string[];
  const silent = silentStates(definition).get(source);
  if (silent !== undefined) return report(`during '${source}': ${silent}`);
  if (states.includes(source)) return;
  const why = targets.has(source) ? `is an end; nothing leaves it` : `is no state of the saga`;
  report(`during '${source}': '${source}' ${why}. States: ${states.join(', ')}`);
}

/** States in which nothing is ever answered, and why. */
function silentStates({ nodes }: AnySaga): ReadonlyMap<string, string> {
  const silent = new Map<string, string>();
  for (const { path, node, parent } of placedStates(nodes)) {
    if (node.type === 'history')
      silent.set(path, `it is a way back into '${parent?.path}', nothing stays there`);
    if (node.type === 'final' && parent !== null)
      silent.set(
        path,
        `it is final; say with done() or @Done what follows when '${parent.path}' has come to its end`,
      );
  }
  return silent;
}

function checkPhase(phase: string, spec: TransitionSpec, report: Report): void {
  if (spec.trigger.kind !== 'event')
    report(spec.label, `during '${phase}': only messages are answered there, not '${causeOf(spec.trigger)}'`);
  if (spec.to !== undefined)
    report(spec.label, `during '${phase}': nothing moves the saga any more; drop 'to'`);
}

function checkTrigger({ definition, joins }: SagaBehaviour, spec: TransitionSpec, report: Report): void {
  const { trigger, label, to } = spec;
  switch (trigger.kind) {
    case 'start':
    case 'event':
      return checkEvent(definition, spec, trigger.event.messageName, report);
    case 'composite':
      return checkKnown(
        trigger.name,
        [...definition.composites.keys(), ...joins.keys()],
        COMPOSITE,
        label,
        report,
      );
    case 'outcome':
      return checkKnown(trigger.activity, [...definition.activities.keys()], ACTIVITY, label, report);
    case 'schedule':
      return checkKnown(trigger.name, [...definition.schedules], SCHEDULE, label, report);
    case 'done':
      return checkDone(definition, spec, report);
    case 'always':
      if (to === undefined) report(label, `always: would run for ever; say where it leads with 'to'`);
      return;
    case 'after':
      return;
    default:
      trigger satisfies never;
  }
}

const COMPOSITE = `is no composite event; add it to 'compositeEvents' of defineSaga`;
const ACTIVITY = `is no activity; add it to 'activities' of defineSaga`;
const SCHEDULE = `is no schedule; add it to 'schedules' of defineSaga`;

function checkKnown(
  name: string,
  known: readonly string[],
  what: string,
  label: string,
  report: Report,
): void {
  if (!known.includes(name)) report(label, `'${name}' ${what}`);
}

function checkEvent(
  definition: AnySaga,
  { trigger, label }: TransitionSpec,
  name: string,
  report: Report,
): void {
  const event = definition.events.get(name);
  if (event === undefined) {
    report(label, `'${name}' is not among the saga's events; add it to 'events' of defineSaga`);
  } else if (trigger.kind === 'start' && event.key !== definition.correlateBy) {
    report(
      label,
      `'${name}' comes by the key '${event.key}', but what starts an instance must tell its primary key, '${definition.correlateBy}'`,
    );
  }
}

function checkDone({ nodes }: AnySaga, { during, label }: TransitionSpec, report: Report): void {
  for (const { path, node } of placedStates(nodes)) {
    if (!during.includes(path)) continue;
    if (node.states === undefined)
      report(label, `'${path}' has no states inside, so they never come to an end`);
    else if (!mayEnd(node))
      report(
        label,
        `the states inside '${path}' never come to an end: ${FINALS[isParallel(node) ? 'each' : 'one']}`,
      );
  }
}

const FINALS = {
  one: `none of them is { type: 'final' }`,
  each: `each region needs a state that is { type: 'final' }`,
} as const;

function isParallel({ type }: StateNode): boolean {
  return type === 'parallel';
}

/** Whether the states inside may all come to their end. */
function mayEnd(node: StateNode): boolean {
  const inside = Object.values(node.states ?? {}).filter(({ type }) => type !== 'history');
  if (isParallel(node)) return inside.every(mayEnd);
  return inside.some(({ type }) => type === 'final');
}

function checkHook(definition: AnySaga, { kind, states: named, label }: HookSpec, report: Report): void {
  const ends = Object.keys(definition.ends);
  const states = definition.states as readonly string[];
  const known = kind === 'entry' ? [...states, ...ends] : states;
  for (const state of named) {
    if (!known.includes(state))
      report(label, `'${state}' is no state of the saga. Known: ${known.join(', ')}`);
  }
  if (named.length === 0) report(label, `names no state`);
}

/** What an unguarded transition leaves no chance for can't be meant. */
function checkShadowed({ transitions }: SagaBehaviour, report: Report): void {
  const unguarded = new Map<string, string>();
  for (const spec of transitions) {
    for (const source of spec.trigger.kind === 'start' ? ['(start)'] : spec.during) {
      const place = `${source} × ${quoted(spec)}`;
      const winner = unguarded.get(place);
      if (winner !== undefined) {
        report(spec.label, `never runs: ${place} is already answered by ${winner}, which has no guard`);
      } else if (spec.guard === undefined) {
        unguarded.set(place, spec.label);
      }
    }
  }
}

function quoted({ trigger }: TransitionSpec): string {
  return trigger.kind === 'start' || trigger.kind === 'event' ? `'${causeOf(trigger)}'` : causeOf(trigger);
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

function checkActivities(
  { definition, activities, transitions, label }: SagaBehaviour,
  report: Report,
): void {
  for (const name of definition.activities.keys()) {
    if (activities?.has(name) !== true) report(label, `does not implement activity '${name}'`);
    if (!transitions.some(({ trigger }) => trigger.kind === 'outcome' && trigger.activity === name))
      report(`activities.${name}`, `no state answers its outcome`);
  }
  for (const name of activities?.keys() ?? [])
    if (!definition.activities.has(name))
      report(label, `implements activity '${name}', which 'activities' of defineSaga does not declare`);
}

/** A message that starts an instance has nothing else to do where there is none. */
function checkPolicies({ definition, transitions }: SagaBehaviour, report: Report): void {
  const starts = new Set(
    transitions.flatMap(({ trigger }) => (trigger.kind === 'start' ? [trigger.event.messageName] : [])),
  );
  for (const [name, { absent }] of definition.events) {
    if (absent === 'start' && !starts.has(name))
      report(`events.${name}`, `is declared { absent: 'start' }, but nothing starts with it`);
    if (absent !== undefined && absent !== 'start' && starts.has(name))
      report(`events.${name}`, `starts the saga, so { absent: '${absent}' } never holds; drop it`);
  }
}

/** What is declared and nowhere answered is a mistake. */
function checkAnswered({ definition, joins, transitions }: SagaBehaviour, report: Report): void {
  const answered = new Set(transitions.map(({ trigger }) => causeOf(trigger)));
  for (const name of [...definition.composites.keys(), ...joins.keys()]) {
    if (!answered.has(causeOf({ kind: 'composite', name })))
      report(`compositeEvents.${name}`, `no state answers it`);
  }
  for (const name of definition.schedules) {
    if (!answered.has(causeOf({ kind: 'schedule', name })))
      report(`schedules.${name}`, `no state answers it`);
  }
}
