import { ExpressionError, isStatechartError } from '../errors.js';
import type { Frame } from './op.js';

/** Arguments of user functions. */
export interface Args {
  readonly context: unknown;
  readonly event: unknown;
}

/** A literal is itself, a function is called with `({ context, event }, params)`; what it throws names its place. */
export function evaluate(value: unknown, frame: Frame, params: unknown, path: string): unknown {
  if (typeof value !== 'function') return value;
  return call(value as UserFunction, { context: frame.context, event: frame.event }, params, frame, path);
}

export type UserFunction = (args: Args, params: unknown) => unknown;

export function call(run: UserFunction, args: Args, params: unknown, frame: Frame, path: string): unknown {
  try {
    return run(args, params);
  } catch (error) {
    throw isStatechartError(error) ? error : new ExpressionError(path, frame.event.type, error);
  } finally {
    frame.runtime.watch?.('expression', path);
  }
}
