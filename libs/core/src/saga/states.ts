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

/** Whether a stored state (its innermost states, joined by bars) is that one, or lies in it. */
export function isWithin(stored: string, path: string): boolean {
  return stored.split('|').some((leaf) => leaf === path || leaf.startsWith(`${path}.`));
}

/** All states, as they are stored, that are the one of that path, or lie in it. */
export function storedStatesWithin(nodes: StateNodes, path: string): readonly string[] {
  const all = Object.entries(nodes).flatMap(([name, node]) => storedStates(name, node));
  const within = all.filter((stored) => isWithin(stored, path));
  return within.length === 0 ? [path] : within;
}

/** Innermost states of each way to be in a state; of several regions, every combination. */
function storedStates(path: string, { type, states }: StateNode): readonly string[] {
  const children = Object.entries(states ?? {}).filter(([, child]) => child.type !== 'history');
  if (children.length === 0) return [path];
  const each = children.map(([name, child]) => storedStates(`${path}.${name}`, child));
  if (type !== 'parallel') return each.flat();
  return each.reduce((left, right) => left.flatMap((one) => right.map((other) => `${one}|${other}`)));
}
