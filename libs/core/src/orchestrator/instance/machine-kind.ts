import { actionOf, type Effect, type Machine, namesIn, provide } from '@nestjs-orchestrator/statechart';
import type { ActivityContext, OrchestratedContext } from '../contexts.js';
import { UnboundNamesError, UnsupportedLogicError } from '../errors.js';
import type { MachineImplementations } from '../implementations.js';

type ActionEffect = Extract<Effect, { type: 'action' }>;
type Action = (ctx: OrchestratedContext, params: unknown) => unknown;
type Activity = (ctx: ActivityContext) => unknown;

/** What stands behind the `src` of an activity: a function, or the definition of a child machine. */
export type ActivityLogic = { readonly run: Activity } | { readonly child: string | Machine };

/** A definition with everything bound that it names; shared by its instances. */
export class MachineKind {
  readonly id: string;
  /** The engine's machine that runs: the definition, with what was given at registration. */
  readonly bound: Machine;

  /**
   * @param isRegistered whether a name is that of another definition, which then makes child machines
   * @throws UnboundNamesError, UnsupportedLogicError
   */
  constructor(
    /** The definition as it was registered. */
    readonly machine: Machine,
    implementations: MachineImplementations | undefined,
    isRegistered: (id: string) => boolean,
  ) {
    this.id = machine.id;
    this.bound = bind(machine, implementations);
    const missing = namesIn(this.bound).filter(
      ({ kind, name, bound }) => !bound && !(kind === 'actor' && (name === machine.id || isRegistered(name))),
    );
    if (missing.length > 0) throw new UnboundNamesError(machine.id, missing.map(inUserWords));
    this.checkLogic();
  }

  /** @throws UnboundNamesError where a name came up at run time that nobody bound */
  action(effect: ActionEffect): Action {
    const action = actionOf(this.bound, effect);
    if (typeof action === 'function') return action as Action;
    throw new UnboundNamesError(this.id, [{ kind: 'action', name: effect.name, path: 'enqueueActions' }]);
  }

  activity(src: string): ActivityLogic {
    const { actors } = this.bound.implementations;
    const logic = Object.hasOwn(actors, src) ? actors[src] : undefined;
    if (logic === undefined) return { child: src };
    return typeof logic === 'function' ? { run: logic as Activity } : { child: logic as Machine };
  }

  private checkLogic(): void {
    const { actions, guards, actors } = this.bound.implementations;
    this.check(actors, (logic) => typeof logic === 'function' || isMachine(logic), ACTIVITY_RULE);
    this.check(actions, isNamed, 'must be a function, or a built-in action such as assign()');
    this.check(guards, isNamed, 'must be a function that returns a boolean');
  }

  private check(bound: object, holds: (logic: unknown) => boolean, rule: string): void {
    for (const [name, logic] of Object.entries(bound)) {
      if (logic !== undefined && !holds(logic)) throw new UnsupportedLogicError(this.id, name, rule);
    }
  }
}

const ACTIVITY_RULE =
  'must be a function, or a machine of defineMachine(); actor logic of xstate is not run here';

/** A function, the name of another one, or an object with a type. */
function isNamed(logic: unknown): boolean {
  return (
    typeof logic === 'function' ||
    typeof logic === 'string' ||
    typeof (logic as { type?: unknown }).type === 'string'
  );
}

/** Without implementations the definition runs as it is, so that all groups share what the engine has worked out for it. */
function bind(machine: Machine, implementations: MachineImplementations | undefined): Machine {
  if (implementations === undefined) return machine;
  const { activities = {}, actions = {}, guards = {}, delays = {} } = implementations;
  return provide(machine, { actions, guards, delays, actors: activities });
}

function inUserWords({ kind, name, path }: { kind: string; name: string; path: string }): {
  kind: string;
  name: string;
  path: string;
} {
  return { kind: kind === 'actor' ? 'activity' : kind, name, path };
}

function isMachine(logic: unknown): logic is Machine {
  return (
    typeof logic === 'object' && logic !== null && 'implementations' in logic && !('__xstatenode' in logic)
  );
}
