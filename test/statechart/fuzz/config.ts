/**
 * The shape of a generated config: XState's JSON, with every guard and action either a name or an object with a `type`, so that a
 * failing machine can be printed, shrunk and given to both engines.
 */
export interface GenState {
  id?: string;
  type?: 'parallel' | 'final' | 'history';
  history?: 'shallow' | 'deep';
  target?: string;
  initial?: string | { target: string; actions: GenAction[] };
  states?: Record<string, GenState>;
  on?: Record<string, GenTransition | GenTransition[] | string | null>;
  always?: GenTransition[];
  after?: Record<string, GenTransition | GenTransition[]>;
  onDone?: GenTransition | GenTransition[];
  invoke?: GenInvoke[];
  entry?: GenAction[];
  exit?: GenAction[];
  tags?: string[];
  output?: unknown;
  context?: Record<string, number>;
}

export interface GenTransition {
  target?: string | string[];
  guard?: GenGuard;
  actions?: GenAction[];
  reenter?: boolean;
}

export interface GenInvoke {
  id?: string;
  src: string;
  input?: unknown;
  onDone?: GenTransition;
  onError?: GenTransition;
}

export type GenGuard =
  | string
  | { type: string; params: unknown }
  | { type: 'xstate.and' | 'xstate.or' | 'xstate.not'; guards: GenGuard[] }
  | { type: 'xstate.stateIn'; stateValue: unknown };

export type GenAction = string | ({ type: string } & Record<string, unknown>);

export interface GenCase {
  config: GenState;
  events: { type: string; [key: string]: unknown }[];
}
