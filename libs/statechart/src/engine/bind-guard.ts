import type { GuardSpec } from '../chart/guard-spec.js';
import type { Node } from '../chart/node.js';
import { GuardError, isStatechartError, UnboundNameError } from '../errors.js';
import { readGuard } from '../definition/guards.js';
import { Reading } from '../definition/reading.js';
import { matchesValue } from '../snapshot/state-value.js';
import type { EventObject, StateValue } from '../types.js';
import type { Configuration } from './configuration.js';
import type { Runtime } from './runtime.js';

/** A bound guard. */
export type Check = (context: unknown, event: EventObject, where: Where) => boolean;

/** Where a guard looks for active states. */
export type Where = Pick<Configuration, 'active' | 'runtime'>;

type UserGuard = (args: { context: unknown; event: unknown }, params: unknown) => unknown;

/** Makes a guard callable. A name nobody bound does not pass: asking it throws. */
export function bindGuard(runtime: Runtime, spec: GuardSpec): Check {
  switch (spec.kind) {
    case 'inline':
      return bindFunction(runtime, spec.run as unknown as UserGuard, undefined, spec);
    case 'named':
      return bindNamed(runtime, spec);
    case 'stateIn':
      return stateInCheck(runtime, spec.value);
    default:
      return combine(
        spec.kind,
        spec.guards.map((guard) => bindGuard(runtime, guard)),
      );
  }
}

function combine(kind: 'and' | 'or' | 'not', checks: readonly Check[]): Check {
  if (kind === 'not') return (...args) => !checks.every((check) => check(...args));
  if (kind === 'or') return (...args) => checks.some((check) => check(...args));
  return (...args) => checks.every((check) => check(...args));
}

function bindNamed(runtime: Runtime, { name, params, path }: Extract<GuardSpec, { kind: 'named' }>): Check {
  const bound = runtime.implementations.guards.get(name);
  if (bound === undefined) {
    return () => {
      throw new UnboundNameError('guard', name, path);
    };
  }
  if (typeof bound === 'function' && !('check' in bound))
    return bindFunction(runtime, bound as UserGuard, params, { path, name });
  const spec = runtime.guardChain.has(name) ? null : readGuard(new Reading(runtime.chart.id), bound, path);
  if (spec === null) throw new UnboundNameError('guard', name, path);
  runtime.guardChain.add(name);
  try {
    return bindGuard(runtime, spec);
  } finally {
    runtime.guardChain.delete(name);
  }
}

/** Where a guard stands, and what it is called if it has a name. */
interface Place {
  readonly path: string;
  readonly name?: string;
}

function bindFunction(runtime: Runtime, guard: UserGuard, params: unknown, place: Place): Check {
  return runtime.chart.semantics === 'scxml'
    ? scxmlCheck(runtime, guard, place)
    : userCheck(guard, params, place);
}

function scxmlCheck(runtime: Runtime, guard: UserGuard, { path, name = path }: Place): Check {
  return (context, event, where) => {
    const isIn = (id: string): boolean => {
      const node = runtime.chart.byId.get(id);
      return node !== undefined && where.active.has(node);
    };
    const args = { context, event, isIn };
    try {
      return Boolean(guard(args, undefined));
    } catch (error) {
      runtime.guardFailures.push(error);
      return false;
    } finally {
      runtime.watch?.('guard', name);
    }
  };
}

function userCheck(guard: UserGuard, params: unknown, { path, name = path }: Place): Check {
  return (context, event, where) => {
    try {
      const args = { context, event };
      return Boolean(
        guard(args, typeof params === 'function' ? (params as (args: unknown) => unknown)(args) : params),
      );
    } catch (error) {
      throw isStatechartError(error) ? error : new GuardError(path, event.type, error);
    } finally {
      where.runtime.watch?.('guard', name);
    }
  };
}

function stateInCheck(runtime: Runtime, value: unknown): Check {
  const node = typeof value === 'string' && value.startsWith('#') ? nodeById(runtime, value.slice(1)) : null;
  if (node !== null) return (_context, _event, configuration) => configuration.active.has(node);
  return (_context, _event, configuration) => matchesValue(configuration, value as StateValue);
}

function nodeById(runtime: Runtime, id: string): Node | null {
  const exact = runtime.chart.byId.get(id);
  return exact ?? null;
}
