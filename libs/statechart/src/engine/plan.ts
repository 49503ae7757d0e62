import type { Transition } from '../chart/node.js';
import type { Effect, Step } from '../types.js';
import type { Check } from './bind-guard.js';
import type { Configuration } from './configuration.js';
import type { Op } from './op.js';

/** A transition in one configuration. */
export interface Candidate {
  readonly transition: Transition;
  readonly check: Check | null;
  /** What it does if it is taken alone; worked out at first need. */
  outcome: Outcome | null;
}

/** What taking certain transitions in a certain configuration does. */
export interface Outcome {
  readonly ops: readonly Op[];
  /** All effects, where nothing has to be computed: then `ops` need not run. */
  readonly effects: readonly Effect[] | null;
  readonly next: Configuration;
  /** Active states or history memory change: XState would make a new snapshot even without an action. */
  readonly moves: boolean;
  /** Only forbidden transitions: the event is answered by doing nothing. */
  readonly inert: boolean;
  /** The step of all instances that have the shared context and no memory of entries, if there is nothing to compute; made at first need. */
  sharedStep: Step | null;
}

/** Candidates of parallel regions: each region may choose one, the state around them only if none does. */
export interface Regions {
  readonly inner: readonly Selector[];
  readonly own: readonly Candidate[];
}

/** A list is tried in order and yields at most one transition. */
export type Selector = readonly Candidate[] | Regions;

/**
 * What one configuration does on one event (or on none). Exactly one of the fields is set: `fixed` where no guard has a say,
 * `list` where at most one transition can be taken, `selectors` where several can.
 */
export interface Plan {
  readonly fixed: Outcome | null;
  readonly list: readonly Candidate[] | null;
  readonly selectors: readonly Selector[] | null;
  /** Outcomes of the combinations met so far, by transition numbers. */
  readonly outcomes: Map<string, Outcome>;
}

export function isRegions(selector: Selector): selector is Regions {
  return !Array.isArray(selector);
}
