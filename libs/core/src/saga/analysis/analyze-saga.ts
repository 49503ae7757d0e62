import { causeOf, type SagaBehaviour, type TransitionSpec } from '../behaviour.js';
import { compileSaga } from '../compile/compile-saga.js';
import { unansweredPolicy } from '../run/policies.js';
import { SagaDefinitionError, type DefinitionFault } from '../saga-errors.js';
import type { UnansweredPolicy } from '../saga-types.js';
import { PHASES, placedStates, type PlacedState } from '../states.js';
import { diagramOf } from './diagram.js';

/** One transition that may answer, as its place in the class or builder is called. */
export interface MatrixEntry {
  readonly label: string;
  /** It answers only if its condition holds. */
  readonly guarded: boolean;
  /** Where it may lead; none: the saga stays. */
  readonly to: readonly string[];
}

/** An event that a state does not answer, and what becomes of it there. */
export interface UnansweredPair {
  readonly state: string;
  readonly event: string;
  readonly policy: UnansweredPolicy;
  /** Some transitions answer it, each on a condition. */
  readonly sometimes: boolean;
}

/** What can be said of a saga without running it. */
export interface SagaAnalysis {
  /** What would keep the application from starting: dead ends, states that nothing reaches, transitions that never run, unknown names. */
  readonly faults: readonly DefinitionFault[];
  /** For each innermost state, and for each phase after the end: what answers which event, timer or composite event, in the order in which it is asked. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, readonly MatrixEntry[]>>>>;
  /** States × events without an answer, or with none but conditional ones; outcomes of activities where only the other one is answered. */
  readonly unanswered: readonly UnansweredPair[];
  /** The saga as a Mermaid `stateDiagram-v2`. */
  readonly diagram: string;
}

/** Looks a saga through: its faults, who answers what, what nobody answers, and its diagram. Throws nothing for a faulty one. */
export function analyzeSaga(behaviour: SagaBehaviour): SagaAnalysis {
  const leaves = placedStates(behaviour.definition.nodes).filter(isLeaf);
  const rows = leaves.map((leaf): [string, Row] => [leaf.path, rowOf(behaviour, lineOf(leaf))]);
  const phases = PHASES.map((phase): [string, Row] => [phase, rowOf(behaviour, [phase])]);
  return {
    faults: faultsOf(behaviour),
    matrix: Object.fromEntries([...rows, ...phases.filter(([, row]) => Object.keys(row).length > 0)]),
    unanswered: rows.flatMap(([state, row]) => unansweredIn(behaviour, state, row)),
    diagram: diagramOf(behaviour),
  };
}

type Row = Readonly<Record<string, readonly MatrixEntry[]>>;

function faultsOf(behaviour: SagaBehaviour): readonly DefinitionFault[] {
  try {
    compileSaga(behaviour);
    return [];
  } catch (error) {
    if (error instanceof SagaDefinitionError) return error.faults;
    throw error;
  }
}

function isLeaf({ node }: PlacedState): boolean {
  return node.type !== 'history' && node.type !== 'final' && node.states === undefined;
}

/** A state and what it lies in, the innermost first: the order in which they are asked. */
function lineOf(state: PlacedState): readonly string[] {
  return state.parent === null ? [state.path] : [state.path, ...lineOf(state.parent)];
}

function rowOf({ transitions }: SagaBehaviour, line: readonly string[]): Row {
  const row: Record<string, MatrixEntry[]> = {};
  for (const path of line) {
    for (const spec of transitions.filter(({ during }) => during.includes(path)))
      (row[causeOf(spec.trigger)] ??= []).push(entryOf(spec));
  }
  return row;
}

function entryOf({ label, guard, to = [] }: TransitionSpec): MatrixEntry {
  return { label, guarded: guard !== undefined, to: typeof to === 'string' ? [to] : to };
}

function unansweredIn(
  { definition, transitions, joins }: SagaBehaviour,
  state: string,
  row: Row,
): readonly UnansweredPair[] {
  const counting = [...definition.composites.values(), ...joins.values()].filter(
    ({ during }) =>
      during.length === 0 || during.some((path) => path === state || state.startsWith(`${path}.`)),
  );
  const starting = new Set(
    transitions.flatMap(({ trigger }) => (trigger.kind === 'start' ? [trigger.event.messageName] : [])),
  );
  const names: readonly string[] = [...definition.events.keys()];
  const unanswered = names
    .filter((event) => !starting.has(event) || row[event] !== undefined)
    .filter((event) => !counting.some(({ of }) => of.includes(event)))
    .filter((event) => (row[event] ?? []).every(({ guarded }) => guarded))
    .map((event) => ({
      state,
      event,
      policy: unansweredPolicy(definition, event),
      sometimes: row[event] !== undefined,
    }));
  return [...unanswered, ...unansweredOutcomes(state, row, definition.activities.keys())];
}

/** Where an activity is answered in one way only: in the other the saga would wait on, for nothing. */
function unansweredOutcomes(
  state: string,
  row: Row,
  activities: Iterable<string>,
): readonly UnansweredPair[] {
  const answered = (event: string): boolean => (row[event] ?? []).some(({ guarded }) => !guarded);
  return [...activities].flatMap((name) => {
    const both = [`${name} done`, `${name} failed`];
    if (!both.some((event) => row[event] !== undefined)) return [];
    return both
      .filter((event) => !answered(event))
      .map((event) => ({ state, event, policy: 'ignore' as const, sometimes: row[event] !== undefined }));
  });
}
