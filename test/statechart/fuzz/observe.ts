import type { Effect, Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import { stateValue } from '@nestjs-orchestrator/statechart';

/** What both engines must agree on after each event. */
export interface Observation {
  readonly value: unknown;
  readonly context: unknown;
  readonly tags: readonly string[];
  readonly status: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly actions: readonly unknown[];
}

export function observeOurs(machine: Machine, snapshot: Snapshot, effects: readonly Effect[]): Observation {
  const { context, tags, status, output, error } = snapshot;
  // Of a machine that failed XState cancels all timers at once, out of sight.
  const seen = status === 'error' ? effects.filter((effect) => effect.type !== 'cancel') : effects;
  const actions = seen.map(oursAction).filter((action) => action !== null);
  return { value: stateValue(machine, snapshot), context, tags, status, output, error, actions };
}

function oursAction(effect: Effect): unknown {
  switch (effect.type) {
    case 'action':
      return [effect.name, effect.params];
    case 'after':
      return ['schedule', effect.id, effect.event, effect.delay];
    case 'raise':
      return ['schedule', effect.id, effect.event, effect.delay];
    case 'cancel':
      return ['cancel', effect.id];
    case 'emit':
      return ['emit', effect.event];
    case 'invoke':
      return ['start', effect.id, effect.src, effect.input];
    default:
      return null;
  }
}

interface XStateSnapshot {
  value: unknown;
  context: unknown;
  tags: Set<string>;
  status: string;
  output: unknown;
  error: unknown;
}

interface XStateAction {
  type: string;
  params: Record<string, unknown> | undefined;
}

export function observeXState(snapshot: unknown, executed: unknown): Observation {
  const { value, context, tags, status, output, error } = snapshot as XStateSnapshot;
  const actions = (executed as XStateAction[]).map(xstateAction).filter((action) => action !== null);
  return { value, context, tags: [...tags].sort(), status, output, error, actions };
}

/** What XState's own actions show; null: nothing that we hand out. */
const BUILTINS: Readonly<Record<string, (params: Record<string, unknown>) => unknown>> = {
  'xstate.raise': ({ id, event, delay }) => (delay === undefined ? null : ['schedule', id, event, delay]),
  'xstate.cancel': ({ sendId }) => ['cancel', sendId],
  'xstate.emit': ({ event }) => ['emit', event],
  'xstate.spawnChild': ({ id, src, input }) => ['start', id, src, input],
  'xstate.stopChild': () => null,
};

function xstateAction({ type, params }: XStateAction): unknown {
  const builtin = BUILTINS[type];
  return builtin === undefined ? [type, params] : builtin(params ?? {});
}
