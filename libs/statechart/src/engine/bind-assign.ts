import { call, evaluate, type UserFunction } from './expression.js';
import { type Frame, type Op, runOp } from './op.js';

/**
 * Binds `assign`: a function that returns the properties to change, or an object of values and functions by property.
 * The old context is never written to. Properties are defined, not set, so that a key `__proto__` stays a key.
 */
export function bindAssign(assignment: unknown, path: string, params: unknown): Op {
  const update =
    typeof assignment === 'function'
      ? byFunction(assignment as UserFunction, path)
      : byProperty(assignment, path);
  return runOp((frame) => {
    const changes = update(frame, evaluate(params, frame, undefined, `${path}.params`));
    frame.context = { ...(frame.context as object), ...(changes as object) };
    frame.touched = true;
  });
}

type Update = (frame: Frame, params: unknown) => unknown;

function byFunction(assignment: UserFunction, path: string): Update {
  return (frame, params) =>
    call(assignment, { context: frame.context, event: frame.event }, params, frame, path);
}

function byProperty(assignment: unknown, path: string): Update {
  const entries = Object.entries((assignment ?? {}) as Record<string, unknown>);
  return (frame, params) =>
    Object.fromEntries(
      entries.map(([key, value]) => [key, evaluate(value, frame, params, `${path}.${key}`)]),
    );
}
