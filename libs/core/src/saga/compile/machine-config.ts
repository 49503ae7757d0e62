import { targetsOf, type HookSpec, type TransitionSpec, type Trigger } from '../behaviour.js';
import { outcomeEvent } from '../activity/activity-work.js';
import type { AnySaga } from '../saga-types.js';
import { isPhase, type StateNode, type StateNodes } from '../states.js';
import { ABSENT, compositeEvent, computedTarget, scheduleEvent } from './compiled-saga.js';

interface TransitionConfig {
  target?: string;
  guard?: { type: string };
  actions?: { type: string }[];
}

/** A state of the machine while transitions are added to it. */
interface StateConfig {
  type?: string;
  initial?: string;
  history?: string;
  target?: string;
  description?: string;
  tags?: string | readonly string[];
  meta?: unknown;
  states?: Record<string, StateConfig>;
  entry: { type: string }[];
  exit: { type: string }[];
  on: Record<string, TransitionConfig[]>;
  after: Record<string, TransitionConfig[]>;
  always: TransitionConfig[];
  onDone: TransitionConfig[];
}

/** The machine of a saga, in the shape of XState, while it is being put together. */
export class MachineDraft {
  private readonly states: Record<string, StateConfig>;
  private readonly byPath = new Map<string, StateConfig>();

  constructor(private readonly definition: AnySaga) {
    this.states = { [ABSENT]: emptyState({}), ...this.nested(definition.nodes, '') };
    for (const end of Object.keys(definition.ends)) this.place(this.states, end, end, { type: 'final' });
    this.byPath.set(ABSENT, this.states[ABSENT] as StateConfig);
  }

  get config(): { id: string; initial: string; states: Record<string, object> } {
    return { id: this.definition.name, initial: ABSENT, states: compact(this.states) };
  }

  /** @param name of the handler, and of the guard if there is one */
  add(spec: TransitionSpec, name: string): void {
    const transition: TransitionConfig = { actions: [{ type: name }] };
    if (spec.guard !== undefined) transition.guard = { type: name };
    if (typeof spec.to === 'string') transition.target = this.target(spec.to);
    for (const path of spec.trigger.kind === 'start' ? [ABSENT] : spec.during) {
      if (isPhase(path)) continue;
      const state = this.byPath.get(path) as StateConfig;
      listFor(state, spec).push(transition);
      if (typeof spec.to !== 'object') continue;
      for (const target of targetsOf(spec))
        state.on[computedTarget(name, target)] = [{ target: this.target(target) }];
    }
  }

  hook({ kind, states }: Pick<HookSpec, 'kind' | 'states'>, name: string): void {
    for (const path of states) this.byPath.get(path)?.[kind].push({ type: name });
  }

  private target(path: string): string {
    return `#${this.definition.name}.${path}`;
  }

  private nested(nodes: StateNodes, prefix: string): Record<string, StateConfig> {
    const states: Record<string, StateConfig> = {};
    for (const [name, node] of Object.entries(nodes)) this.place(states, name, `${prefix}${name}`, node);
    return states;
  }

  private place(states: Record<string, StateConfig>, name: string, path: string, node: StateNode): void {
    const { states: inner, ...rest } = node;
    const state = emptyState(rest);
    states[name] = state;
    this.byPath.set(path, state);
    if (inner !== undefined) state.states = this.nested(inner, `${path}.`);
  }
}

function emptyState(fields: Omit<StateNode, 'states'>): StateConfig {
  return { ...fields, entry: [], exit: [], on: {}, after: {}, always: [], onDone: [] };
}

function listFor(state: StateConfig, { trigger }: TransitionSpec): TransitionConfig[] {
  switch (trigger.kind) {
    case 'after':
      return (state.after[String(trigger.delayMs)] ??= []);
    case 'always':
      return state.always;
    case 'done':
      return state.onDone;
    default:
      return (state.on[eventType(trigger)] ??= []);
  }
}

type EventTrigger = Exclude<Trigger, { kind: 'after' } | { kind: 'always' } | { kind: 'done' }>;

/** The engine's event for what comes from outside the machine. */
function eventType(trigger: EventTrigger): string {
  if (trigger.kind === 'composite') return compositeEvent(trigger.name);
  if (trigger.kind === 'outcome') return outcomeEvent(trigger.outcome, trigger.activity);
  return trigger.kind === 'schedule' ? scheduleEvent(trigger.name) : trigger.event.messageName;
}

/** Without what is empty: an engine that reads it could take an empty `always` for one. */
function compact(states: Record<string, StateConfig>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(states).map(([name, { states: inner, ...fields }]): [string, object] => {
      const kept = Object.entries(fields).filter(([, value]) => !isEmpty(value));
      return [
        name,
        { ...Object.fromEntries(kept), ...(inner === undefined ? {} : { states: compact(inner) }) },
      ];
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
