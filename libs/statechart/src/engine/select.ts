import type { Transition } from '../chart/node.js';
import type { EventObject } from '../types.js';
import { buildEventless, buildPlan } from './build-plan.js';
import { buildOutcome } from './build-outcome.js';
import type { Configuration } from './configuration.js';
import { type Candidate, isRegions, type Outcome, type Plan, type Selector } from './plan.js';

/** What an event does here, given the context; null: no state answers it. */
export function selectOutcome(
  configuration: Configuration,
  context: unknown,
  event: EventObject,
): Outcome | null {
  const plan = planFor(configuration, event.type);
  return plan === null ? null : outcomeOf(plan, configuration, context, event);
}

/** What the next eventless transitions do; null: there are none. */
export function selectEventless(
  configuration: Configuration,
  context: unknown,
  event: EventObject,
): Outcome | null {
  let plan = configuration.eventless;
  if (plan === undefined) configuration.eventless = plan = buildEventless(configuration);
  return plan === null ? null : outcomeOf(plan, configuration, context, event);
}

export function planFor(configuration: Configuration, type: string): Plan | null {
  let plan = configuration.planFor(type);
  if (plan === undefined) {
    plan = buildPlan(configuration, type);
    configuration.runtime.countPlan();
    configuration.keepPlan(type, plan);
  }
  return plan;
}

function outcomeOf(
  plan: Plan,
  configuration: Configuration,
  context: unknown,
  event: EventObject,
): Outcome | null {
  if (plan.fixed !== null) return plan.fixed;
  if (plan.list !== null) {
    const candidate = choose(plan.list, configuration, context, event);
    if (candidate === null) return null;
    return (candidate.outcome ??= buildOutcome(configuration, [candidate.transition]));
  }
  const chosen: Candidate[] = [];
  for (const selector of plan.selectors ?? []) gather(selector, configuration, context, event, chosen);
  return chosen.length === 0 ? null : combinedOutcome(plan, configuration, chosen);
}

/** The first candidate whose guard passes. */
export function choose(
  list: readonly Candidate[],
  configuration: Configuration,
  context: unknown,
  event: EventObject,
): Candidate | null {
  for (const candidate of list) {
    if (candidate.check === null || candidate.check(context, event, configuration)) return candidate;
  }
  return null;
}

function gather(
  selector: Selector,
  configuration: Configuration,
  context: unknown,
  event: EventObject,
  chosen: Candidate[],
): void {
  if (isRegions(selector)) {
    const before = chosen.length;
    for (const inner of selector.inner) gather(inner, configuration, context, event, chosen);
    if (chosen.length > before) return;
  }
  const own = choose(isRegions(selector) ? selector.own : selector, configuration, context, event);
  if (own !== null) chosen.push(own);
}

function combinedOutcome(plan: Plan, configuration: Configuration, chosen: readonly Candidate[]): Outcome {
  let key = '';
  for (const candidate of chosen) key += `${candidate.transition.index} `;
  let outcome = plan.outcomes.get(key);
  if (outcome === undefined) {
    const transitions = new Set<Transition>(chosen.map((candidate) => candidate.transition));
    outcome = buildOutcome(configuration, [...transitions]);
    configuration.runtime.countPlan();
    plan.outcomes.set(key, outcome);
  }
  return outcome;
}
