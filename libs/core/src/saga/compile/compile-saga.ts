import { defineMachine, provide } from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../../message/message.js';
import type { ErasedGuard, SagaBehaviour, TransitionSpec } from '../behaviour.js';
import { SagaDefinitionError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import { checkBehaviour } from './check-behaviour.js';
import { ABSENT, computedTarget, type CompiledHandler, type CompiledSaga } from './compiled-saga.js';

interface TransitionConfig {
  target?: string;
  guard?: { type: string };
  actions?: { type: string }[];
}

interface StateConfig {
  type?: 'final';
  on?: Record<string, TransitionConfig[]>;
  after?: Record<string, TransitionConfig[]>;
}

/**
 * Turns a definition and its behaviour into a machine whose actions name the handlers.
 *
 * @throws SagaDefinitionError with all faults at once
 */
export function compileSaga<G extends AnySaga>(behaviour: SagaBehaviour<G>): CompiledSaga<G> {
  const { definition } = behaviour;
  const faults = checkBehaviour(behaviour);
  if (faults.length > 0) throw new SagaDefinitionError(definition.name, faults);

  const states = emptyStates(definition);
  const handlers = new Map<string, CompiledHandler>();
  const guards: Record<string, (args: GuardArgs) => boolean> = {};
  const starts = new Map<string, MessageType>();
  behaviour.transitions.forEach((spec, index) => {
    const name = `${index}:${spec.label}`;
    handlers.set(name, handlerOf(spec));
    if (spec.guard !== undefined) guards[name] = guardOf(spec.guard);
    if (spec.trigger.kind === 'start') starts.set(spec.trigger.event.messageName, spec.trigger.event);
    addTransition(states, spec, name);
  });
  const machine = provide(defineMachine({ id: definition.name, initial: ABSENT, states }), { guards });
  return { definition, behaviour, machine, handlers, starts };
}

interface GuardArgs {
  readonly context: unknown;
  readonly event: { readonly type: string; readonly message?: unknown };
}

function guardOf(guard: ErasedGuard): (args: GuardArgs) => boolean {
  return ({ context, event }) => guard({ data: context as object, event: event.message });
}

function handlerOf(spec: TransitionSpec): CompiledHandler {
  return {
    run: spec.handler,
    label: spec.label,
    targets: typeof spec.to === 'object' ? spec.to : undefined,
    starts: spec.trigger.kind === 'start',
  };
}

function emptyStates(definition: AnySaga): Record<string, StateConfig> {
  const states: Record<string, StateConfig> = { [ABSENT]: { on: {} } };
  for (const name of definition.states as readonly string[]) states[name] = { on: {}, after: {} };
  for (const name of Object.keys(definition.ends)) states[name] = { type: 'final' };
  return states;
}

function addTransition(states: Record<string, StateConfig>, spec: TransitionSpec, name: string): void {
  const transition: TransitionConfig = { actions: [{ type: name }] };
  if (spec.guard !== undefined) transition.guard = { type: name };
  if (typeof spec.to === 'string') transition.target = spec.to;
  for (const source of spec.trigger.kind === 'start' ? [ABSENT] : spec.during) {
    const state = states[source] as Required<Pick<StateConfig, 'on' | 'after'>>;
    if (spec.trigger.kind === 'after') push(state.after, String(spec.trigger.delayMs), transition);
    else push(state.on, spec.trigger.event.messageName, transition);
    if (typeof spec.to === 'object')
      for (const target of spec.to) state.on[computedTarget(target)] = [{ target }];
  }
}

function push(table: Record<string, TransitionConfig[]>, key: string, transition: TransitionConfig): void {
  (table[key] ??= []).push(transition);
}
