import type { ActionSpec } from '../chart/action-spec.js';
import { readAction } from '../definition/actions.js';
import { UnboundNameError } from '../errors.js';
import { bindBuiltin } from './bind-builtin.js';
import { evaluate } from './expression.js';
import { effectOp, type Op, runOp } from './op.js';
import type { Runtime } from './runtime.js';

/** Turns an action into what a microstep does: a user's action becomes an effect, a built-in one runs. */
export function bindAction(runtime: Runtime, spec: ActionSpec): Op {
  switch (spec.kind) {
    case 'inline':
      return effectOp({ type: 'action', name: spec.path, params: undefined });
    case 'builtin':
      return bindBuiltin(runtime, spec, undefined, bindAction);
    case 'named':
      return bindNamed(runtime, spec);
  }
}

function bindNamed(runtime: Runtime, spec: Extract<ActionSpec, { kind: 'named' }>): Op {
  const { name, params, path } = spec;
  const builtin = boundBuiltin(runtime, name, path);
  if (builtin !== null) return bindBuiltin(runtime, builtin, params, bindAction);
  if (typeof params !== 'function') return effectOp({ type: 'action', name, params });
  return runOp((frame) => {
    frame.effects.push({
      type: 'action',
      name,
      params: evaluate(params, frame, undefined, `${path}.params`),
    });
  });
}

/** A name may stand for a built-in action, or for a name that does. */
function boundBuiltin(
  runtime: Runtime,
  name: string,
  path: string,
): Extract<ActionSpec, { kind: 'builtin' }> | null {
  const seen = new Set<string>();
  for (let at = name; ;) {
    const bound = runtime.implementations.actions.get(at);
    const spec = bound === undefined ? null : readAction(bound, path);
    if (spec === null || spec.kind === 'inline') return null;
    if (spec.kind === 'builtin') return spec;
    if (seen.has(at)) throw new UnboundNameError('action', at, path);
    seen.add(at);
    at = spec.name;
  }
}
