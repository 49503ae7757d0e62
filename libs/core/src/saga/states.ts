/** One state among nested ones, in the shape of XState v5: structure only, since what a saga does is said by its class or builder. */
export interface StateNode {
  /** Default: `compound` where there are `states`, else `atomic`. */
  readonly type?: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** The child that is entered with a compound state. */
  readonly initial?: string;
  readonly states?: StateNodes;
  /** Of a history state; default `shallow`. */
  readonly history?: 'shallow' | 'deep';
  /** Where a history state leads to before there is a history: a sibling. */
  readonly target?: string;
  readonly description?: string;
  readonly tags?: string | readonly string[];
  readonly meta?: unknown;
}

/** States by their names. */
export interface StateNodes {
  readonly [name: string]: StateNode;
}

/** Paths of all states: `'a'`, `'a.b'`. */
export type StatePaths<N> = {
  [K in keyof N & string]: K | (N[K] extends { readonly states: infer I } ? `${K}.${StatePaths<I>}` : never);
}[keyof N & string];

/** The names of states that are given as a list, or nested. */
export type StateNames<T> = T extends readonly (infer S extends string)[]
  ? S
  : T extends StateNodes
    ? StatePaths<T>
    : never;

/** What happens while an instance is undone, or when it has ended: no states, but named like them in `during`. */
export type SagaPhase = 'compensating' | 'ended';

/** @see SagaPhase */
export const PHASES: readonly SagaPhase[] = ['compensating', 'ended'];

/** Whether a name in `during` stands for a phase. */
export function isPhase(name: string): name is SagaPhase {
  return (PHASES as readonly string[]).includes(name);
}

/** A state with its path. */
export interface PlacedState {
  readonly path: string;
  readonly node: StateNode;
  /** `null` at the top. */
  readonly parent: PlacedState | null;
}

/** All states, each after its parent. */
export function placedStates(nodes: StateNodes, parent: PlacedState | null = null): readonly PlacedState[] {
  return Object.entries(nodes).flatMap(([name, node]) => {
    const placed: PlacedState = { path: parent === null ? name : `${parent.path}.${name}`, node, parent };
    return [placed, ...placedStates(node.states ?? {}, placed)];
  });
}

/** A flat list of states as nodes. */
export function stateNodes(states: readonly string[] | StateNodes): StateNodes {
  if (!isList(states)) return states;
  return Object.fromEntries(states.map((name): [string, StateNode] => [name, {}]));
}

function isList(states: readonly string[] | StateNodes): states is readonly string[] {
  return Array.isArray(states);
}
