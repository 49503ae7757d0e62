import {
  defineMachine,
  MachineDefinitionError,
  provide,
  type Machine,
} from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../../message/message.js';
import type { ErasedGuard, HookSpec, SagaBehaviour, TransitionSpec } from '../behaviour.js';
import { HandlerError } from '../../handling/handler-errors.js';
import { SagaDefinitionError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import { isPhase } from '../states.js';
import { checkBehaviour } from './check-behaviour.js';
import { checkGraph } from './check-graph.js';
import type { CompiledHandler, CompiledSaga, LateAnswer } from './compiled-saga.js';
import { MachineDraft } from './machine-config.js';

/**
 * Turns a definition and its behaviour into a machine whose actions name the handlers.
 *
 * @throws SagaDefinitionError with all faults at once
 */
export function compileSaga<G extends AnySaga>(behaviour: SagaBehaviour<G>): CompiledSaga<G> {
  const { definition } = behaviour;
  const faults = checkBehaviour(behaviour);
  if (faults.length > 0) throw new SagaDefinitionError(definition.name, faults);

  const draft = new MachineDraft(definition);
  const handlers = new Map<string, CompiledHandler>();
  const guards: Record<string, (args: GuardArgs) => boolean> = {};
  const starts = new Map<string, MessageType>();
  const late: LateAnswers = { compensating: new Map(), ended: new Map() };
  behaviour.transitions.forEach((spec, index) => {
    const name = `${index}:${spec.label}`;
    const handler = handlerOf(spec, name);
    handlers.set(name, handler);
    const guard = spec.guard && checkedGuard(spec.guard, spec.label);
    if (guard !== undefined)
      guards[name] = ({ context, event }) => guard({ data: context as object, event: event.message });
    if (spec.trigger.kind === 'start') starts.set(spec.trigger.event.messageName, spec.trigger.event);
    draft.add(spec, name);
    addLate(late, { ...spec, guard }, handler);
  });
  behaviour.hooks.forEach((hook, index) => {
    const name = `${hook.kind} ${index}:${hook.label}`;
    handlers.set(name, handlerOf(hook, name));
    draft.hook(hook, name);
  });
  const answering = answeringStates(behaviour);
  for (const path of new Set([...answering.values()].flat())) {
    const name = `leave ${path}`;
    handlers.set(name, {
      name,
      run: undefined,
      label: name,
      targets: undefined,
      starts: false,
      leaves: path,
    });
    draft.hook({ kind: 'exit', states: [path] }, name);
  }
  const machine = machineOf(draft, guards);
  const graphFaults = checkGraph(behaviour, machine);
  if (graphFaults.length > 0) throw new SagaDefinitionError(definition.name, graphFaults);
  const joins = [...definition.composites, ...behaviour.joins].map(([name, join]) => ({ ...join, name }));
  return { definition, behaviour, machine, handlers, starts, joins, answering, late };
}

/** Who waits for which activity; what is nested comes before what it is nested in. */
function answeringStates({ transitions }: SagaBehaviour): ReadonlyMap<string, readonly string[]> {
  const answering = new Map<string, string[]>();
  for (const { trigger, during } of transitions) {
    if (trigger.kind !== 'outcome') continue;
    const paths = new Set([...(answering.get(trigger.activity) ?? []), ...during]);
    answering.set(
      trigger.activity,
      [...paths].sort((a, b) => b.split('.').length - a.split('.').length),
    );
  }
  return answering;
}

interface GuardArgs {
  readonly context: unknown;
  readonly event: { readonly type: string; readonly message?: unknown };
}

function machineOf(draft: MachineDraft, guards: Record<string, (args: GuardArgs) => boolean>): Machine {
  const { config } = draft;
  try {
    return provide(defineMachine<Record<string, unknown>>(config), { guards });
  } catch (error) {
    if (!(error instanceof MachineDefinitionError)) throw error;
    const faults = error.faults.map(({ path, found, expected }) => ({
      path: path.slice(config.id.length + 1),
      message: `found ${found}, expected ${expected}`,
    }));
    throw new SagaDefinitionError(config.id, faults);
  }
}

/** A promise would count as yes, whatever becomes of it. */
function checkedGuard(guard: ErasedGuard, label: string): ErasedGuard {
  return (ctx) => {
    const answer: unknown = guard(ctx);
    if (typeof answer !== 'object' || answer === null || !('then' in answer)) return Boolean(answer);
    throw new HandlerError(
      `${label}: its condition returned a promise. Conditions can't wait: look things up in a handler, keep them in the data, and ask the data.`,
    );
  };
}

function handlerOf(spec: TransitionSpec | HookSpec, name: string): CompiledHandler {
  const transition = 'trigger' in spec ? spec : undefined;
  return {
    name,
    run: spec.handler,
    label: spec.label,
    targets: typeof transition?.to === 'object' ? transition.to : undefined,
    starts: transition?.trigger.kind === 'start',
  };
}

type LateAnswers = Record<'compensating' | 'ended', Map<string, LateAnswer[]>>;

function addLate(
  late: LateAnswers,
  { trigger, during, guard }: TransitionSpec,
  handler: CompiledHandler,
): void {
  if (trigger.kind !== 'event') return;
  const { messageName } = trigger.event;
  for (const phase of during.filter(isPhase)) {
    const answers = late[phase].get(messageName) ?? [];
    late[phase].set(messageName, [...answers, { guard, handler }]);
  }
}
