import * as create from '../actions/creators.js';
import { readAction } from '../definition/actions.js';
import { readGuard } from '../definition/guards.js';
import { Reading } from '../definition/reading.js';
import type { ActionSpec } from '../chart/action-spec.js';
import { ExpressionError, MachineDefinitionError, text } from '../errors.js';
import { bindGuard } from './bind-guard.js';
import { call, evaluate, type UserFunction } from './expression.js';
import { runOps } from './run-ops.js';
import { type Frame, type Op, runOp } from './op.js';
import type { Runtime } from './runtime.js';

/** Binds any action; handed in, since binding an action may come upon an `enqueueActions`. */
export type BindAction = (runtime: Runtime, spec: ActionSpec) => Op;

interface EnqueueCall {
  readonly runtime: Runtime;
  readonly bindAction: BindAction;
  readonly collect: unknown;
  readonly path: string;
  readonly params: unknown;
}

/** Binds `enqueueActions`: the function collects actions, which then run in its place. */
export function bindEnqueue(enqueueCall: EnqueueCall): Op {
  const { runtime, collect, path, params } = enqueueCall;
  return runOp((frame) => {
    const collected: unknown[] = [];
    const args = {
      context: frame.context,
      event: frame.event,
      enqueue: enqueuer(collected),
      check: (guard: unknown) => checkNow(runtime, frame, guard, `${path}.check`),
    };
    call(collect as UserFunction, args, evaluate(params, frame, undefined, `${path}.params`), frame, path);
    for (const [index, action] of collected.entries())
      runCollected(enqueueCall, frame, action, `${path}.enqueue[${index}]`);
  });
}

function enqueuer(collected: unknown[]): unknown {
  const take =
    <A extends unknown[]>(creator: (...args: A) => unknown) =>
    (...args: A): void => {
      collected.push(creator(...args));
    };
  const enqueue = (action: unknown): void => {
    collected.push(action);
  };
  return Object.assign(enqueue, {
    assign: take(create.assign),
    raise: take(create.raise),
    sendTo: take(create.sendTo),
    sendParent: take(create.sendParent),
    cancel: take(create.cancel),
    emit: take(create.emit),
    log: take(create.log),
    spawnChild: take(create.spawnChild),
    stopChild: take(create.stopChild),
  });
}

function checkNow(runtime: Runtime, frame: Frame, guard: unknown, path: string): boolean {
  const reading = new Reading(runtime.chart.id);
  const spec = readGuard(reading, guard, path);
  if (spec === null) throw new MachineDefinitionError(runtime.chart.id, reading.faults);
  return bindGuard(runtime, spec)(frame.context, frame.event, frame.view ?? frame.configuration);
}

function runCollected(
  { runtime, bindAction }: EnqueueCall,
  frame: Frame,
  action: unknown,
  path: string,
): void {
  const spec = readAction(action, path);
  if (spec === null)
    throw new ExpressionError(path, frame.event.type, new TypeError(`${text(action)} is no action`));
  if (spec.kind === 'inline') frame.effects.push(inlineEffect(path, spec.run));
  else runOps([bindAction(runtime, spec)], frame);
}

/** A function that came up at run time has no place in the config: the effect carries it out of sight. */
function inlineEffect(name: string, run: unknown): { type: 'action'; name: string; params: undefined } {
  const effect = { type: 'action' as const, name, params: undefined };
  Object.defineProperty(effect, INLINE_FUNCTION, { value: run });
  return effect;
}

export const INLINE_FUNCTION: unique symbol = Symbol('function of an enqueued action');
