import { activeChildren, type Node, type Transition } from '../chart/node.js';
import { buildOutcome } from './build-outcome.js';
import type { Configuration } from './configuration.js';
import type { Candidate, Plan, Selector } from './plan.js';
import { isRegions } from './plan.js';

/** Works out what an event can do in a configuration; null: nothing. */
export function buildPlan(configuration: Configuration, type: string): Plan | null {
  const { runtime } = configuration;
  if (runtime.chart.semantics === 'scxml')
    return buildByLeaves(configuration, (node) => scxmlCandidates(node, type));
  const selector = selectorOf(configuration, runtime.chart.root, type);
  if (selector === null) return null;
  return isRegions(selector) ? planOf(configuration, [selector]) : listPlan(configuration, selector);
}

/** Works out what eventless transitions can do in a configuration; null: nothing. */
export function buildEventless(configuration: Configuration): Plan | null {
  return buildByLeaves(configuration, (node) => node.always);
}

/** Each active leaf asks itself, then its ancestors (SCXML: selectTransitions). */
function buildByLeaves(configuration: Configuration, of: (node: Node) => readonly Transition[]): Plan | null {
  const lists = configuration.leaves.map((leaf) => {
    const transitions: Transition[] = [];
    for (let at: Node | null = leaf; at !== null; at = at.parent) transitions.push(...of(at));
    return candidatesOf(configuration, transitions);
  });
  const asking = lists.filter((list) => list.length > 0);
  const [first] = asking;
  if (first === undefined) return null;
  return asking.length === 1 ? listPlan(configuration, first) : planOf(configuration, asking);
}

/** XState asks the children first, and a state itself only if none of its children answers. */
function selectorOf(configuration: Configuration, node: Node, type: string): Selector | null {
  const inner = activeChildren(node, configuration.nodes)
    .map((child) => selectorOf(configuration, child, type))
    .filter((selector) => selector !== null);
  const own = candidatesOf(configuration, transitionsFor(node, type));
  const [only] = inner;
  if (only === undefined) return own.length === 0 ? null : own;
  if (inner.length === 1 && !isRegions(only)) return cut([...only, ...own]);
  return { inner, own };
}

/** Exact matches first, then wildcards from long to short. */
export function transitionsFor(node: Node, type: string): readonly Transition[] {
  const exact = node.transitions.get(type) ?? [];
  const wild = node.wildcards.filter(
    (wildcard) => wildcard.descriptor !== type && matches(wildcard.prefix, type),
  );
  return wild.length === 0 ? exact : [...exact, ...wild.flatMap((wildcard) => wildcard.transitions)];
}

function matches(prefix: string | null, type: string): boolean {
  return prefix === null || type === prefix || type.startsWith(`${prefix}.`);
}

/** SCXML has no order of exactness: the first in the document wins. */
function scxmlCandidates(node: Node, type: string): readonly Transition[] {
  return [...transitionsFor(node, type)].sort((a, b) => a.order - b.order);
}

function candidatesOf(
  configuration: Configuration,
  transitions: readonly Transition[],
): readonly Candidate[] {
  const { runtime } = configuration;
  return cut(
    transitions.map((transition) => ({
      transition,
      check: transition.guard === null ? null : runtime.check(transition.guard),
      outcome: null,
    })),
  );
}

/** Nothing after an unguarded candidate is ever reached. */
function cut(candidates: readonly Candidate[]): readonly Candidate[] {
  const last = candidates.findIndex((candidate) => candidate.check === null);
  return last < 0 ? candidates : candidates.slice(0, last + 1);
}

function listPlan(configuration: Configuration, list: readonly Candidate[]): Plan {
  const [first] = list;
  if (first === undefined || first.check !== null)
    return { fixed: null, list, selectors: null, outcomes: new Map() };
  const fixed = buildOutcome(configuration, [first.transition]);
  return { fixed, list: null, selectors: null, outcomes: new Map() };
}

function planOf(configuration: Configuration, selectors: readonly Selector[]): Plan {
  const sure = selectors.flatMap((selector) => certainOf(selector) ?? [null]);
  if (sure.includes(null)) return { fixed: null, list: null, selectors, outcomes: new Map() };
  const transitions = [...new Set(sure as Transition[])];
  return {
    fixed: buildOutcome(configuration, transitions),
    list: null,
    selectors: null,
    outcomes: new Map(),
  };
}

/** The transitions that are taken whatever guards say; null where guards decide. */
function certainOf(selector: Selector): Transition[] | null {
  if (isRegions(selector)) {
    const inner = selector.inner.map(certainOf);
    return inner.includes(null) ? null : (inner as Transition[][]).flat();
  }
  const [first] = selector;
  return first === undefined || first.check !== null ? null : [first.transition];
}
