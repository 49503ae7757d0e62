import type { ActionSpec } from '../chart/action-spec.js';
import type { GuardSpec } from '../chart/guard-spec.js';
import { readAction } from '../definition/actions.js';
import type { BoundNames } from '../engine/runtime.js';
import { type Machine, runtimeOf } from '../machine.js';

/** A name that a config uses: where it stands first, and whether something is bound to it. */
export interface NameUse {
  readonly kind: 'action' | 'guard' | 'delay' | 'actor';
  readonly name: string;
  readonly path: string;
  readonly bound: boolean;
}

type Use = Omit<NameUse, 'bound'>;

/**
 * The names that a machine uses, each once. What functions choose when they run (`enqueueActions`, a computed delay) can't be known.
 * Inline functions go by their path and are bound.
 */
export function namesIn(machine: Machine): readonly NameUse[] {
  const { chart, implementations } = runtimeOf(machine);
  const uses = [
    ...chart.actions.flatMap((action) => ofAction(action, implementations)),
    ...chart.transitions.flatMap(({ guard }) => (guard === null ? [] : ofGuard(guard))),
    ...chart.nodes.flatMap(({ afters }) => afters.flatMap(({ delay, path }) => ofDelay(delay, path))),
    ...chart.nodes.flatMap(({ invokes }) =>
      invokes.map(({ src, path }): Use => ({ kind: 'actor', name: src, path: `${path}.src` })),
    ),
  ];
  const first = new Map<string, NameUse>();
  for (const use of uses) {
    const key = `${use.kind} ${use.name}`;
    if (!first.has(key)) first.set(key, { ...use, bound: isBound(use, implementations) });
  }
  return [...first.values()];
}

function isBound({ kind, name }: Use, implementations: BoundNames): boolean {
  return implementations[`${kind}s`].get(name) !== undefined;
}

/** A name that stands for a built-in action uses what that one uses. */
function ofAction(spec: ActionSpec, implementations: BoundNames, seen: readonly string[] = []): Use[] {
  if (spec.kind === 'inline') return [];
  if (spec.kind === 'builtin') return ofBuiltin(spec);
  const { name, path } = spec;
  const bound = implementations.actions.get(name);
  const behind = bound === undefined || seen.includes(name) ? null : readAction(bound, path);
  const inner = behind === null ? [] : ofAction(behind, implementations, [...seen, name]);
  return [{ kind: 'action', name, path }, ...inner];
}

function ofBuiltin({ fields, path }: Extract<ActionSpec, { kind: 'builtin' }>): Use[] {
  const { src, delay } = fields;
  const spawned: Use[] = typeof src === 'string' ? [{ kind: 'actor', name: src, path: `${path}.src` }] : [];
  return [...spawned, ...ofDelay(delay, `${path}.delay`)];
}

function ofDelay(delay: unknown, path: string): Use[] {
  return typeof delay === 'string' ? [{ kind: 'delay', name: delay, path }] : [];
}

function ofGuard(guard: GuardSpec): Use[] {
  if ('guards' in guard) return guard.guards.flatMap(ofGuard);
  return guard.kind === 'named' ? [{ kind: 'guard', name: guard.name, path: guard.path }] : [];
}
