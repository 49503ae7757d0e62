import * as ours from '@nestjs-orchestrator/statechart';
import * as xstate from 'xstate';
import type { GenAction, GenGuard, GenInvoke, GenState, GenTransition } from './config.js';
import { actions, delays, expression, guards } from './implementations.js';

/** Not part of the generated config, so that the shrinker can't take it away. */
const MAX_ITERATIONS = 100;

/** Maps a generated config: `undefined` in place of a JSON null, functions in place of expressions. */
function mapState(
  state: GenState,
  action: (of: GenAction) => unknown,
  guard: (of: GenGuard) => unknown,
): object {
  const transition = (of: GenTransition): object => ({
    ...of,
    ...(of.guard === undefined ? {} : { guard: guard(of.guard) }),
    ...(of.actions === undefined ? {} : { actions: of.actions.map(action) }),
  });
  const any = (of: unknown): unknown => {
    if (of === null) return undefined;
    if (typeof of === 'string') return of;
    return Array.isArray(of)
      ? of.map((one) => transition(one as GenTransition))
      : transition(of as GenTransition);
  };
  const invoke = (of: GenInvoke): object => ({
    ...of,
    ...(of.input === undefined ? {} : { input: expression(of.input) }),
    ...(of.onDone === undefined ? {} : { onDone: transition(of.onDone) }),
    ...(of.onError === undefined ? {} : { onError: transition(of.onError) }),
  });
  const maps: Record<string, (of: never) => unknown> = {
    initial: (of: string | { target: string; actions: GenAction[] }) =>
      typeof of === 'string' ? of : { ...of, actions: of.actions.map(action) },
    states: (of: Record<string, GenState>) => mapValues(of, (child) => mapState(child, action, guard)),
    on: (of: Record<string, unknown>) => mapValues(of, any),
    after: (of: Record<string, unknown>) => mapValues(of, any),
    always: any,
    onDone: any,
    entry: (of: GenAction[]) => of.map(action),
    exit: (of: GenAction[]) => of.map(action),
    invoke: (of: GenInvoke[]) => of.map(invoke),
    output: expression,
  };
  const entries = Object.entries(state).map(([key, of]): [string, unknown] => [
    key,
    maps[key]?.(of as never) ?? of,
  ]);
  return Object.fromEntries(entries);
}

function mapValues<A, B>(of: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value)]));
}

/** The generated config is ours already, but for expressions; XState counts one round more than we count microsteps. */
export function oursOf(config: GenState): ours.Machine {
  const mapped = mapState(
    config,
    (action) => action,
    (guard) => guard,
  ) as GenState;
  return ours.defineMachine(
    { ...mapped, options: { maxIterations: MAX_ITERATIONS - 1 } },
    {
      actions: actions(ours as never),
      guards: guards(),
      delays,
      actors: { work: null },
    },
  );
}

export function xstateOf(config: GenState): xstate.AnyStateMachine {
  const mapped = mapState(config, xstateAction, xstateGuard);
  return xstate.createMachine({ ...mapped, options: { maxIterations: MAX_ITERATIONS } } as never, {
    actions: actions(xstate as never) as never,
    guards: guards() as never,
    delays: delays,
    actors: { work: xstate.fromPromise(() => new Promise(() => undefined)) },
  }) as never;
}

/** Loose on purpose: the generator knows what it made. */
interface Fields {
  type: string;
  event: never;
  delay: never;
  id: never;
  sendId: never;
}

function xstateAction(action: GenAction): unknown {
  if (typeof action === 'string') return action;
  const { type, event, delay, id, sendId } = action as unknown as Fields;
  if (type === 'xstate.raise') return xstate.raise(event, delay === undefined ? {} : { delay, id });
  if (type === 'xstate.cancel') return xstate.cancel(sendId);
  if (type === 'xstate.emit') return xstate.emit(event);
  return action;
}

function xstateGuard(guard: GenGuard): unknown {
  if (typeof guard === 'string') return guard;
  if ('stateValue' in guard) return xstate.stateIn(guard.stateValue as never);
  if (!('guards' in guard)) return guard;
  const inner = guard.guards.map(xstateGuard) as never[];
  if (guard.type === 'xstate.not') return xstate.not(inner[0] as never);
  return guard.type === 'xstate.and' ? xstate.and(inner) : xstate.or(inner);
}
