import type { ActionSpec, BuiltinType, Fields } from '../chart/action-spec.js';
import { ExpressionError, InvalidDelayError, text, UnboundNameError } from '../errors.js';
import type { EventObject } from '../types.js';
import { bindAssign } from './bind-assign.js';
import { type BindAction, bindEnqueue } from './bind-enqueue.js';
import { evaluate } from './expression.js';
import { type Frame, type Op, runOp } from './op.js';
import type { Runtime } from './runtime.js';

type Builtin = Extract<ActionSpec, { kind: 'builtin' }>;

/** A built-in action under way, with its parameters worked out. */
export interface BuiltinCall {
  readonly runtime: Runtime;
  readonly fields: Fields;
  readonly path: string;
}

type Run = (call: BuiltinCall, frame: Frame, params: unknown) => void;

const RUNS: Readonly<Record<Exclude<BuiltinType, 'assign' | 'enqueueActions'>, Run>> = {
  raise: runRaise,
  sendTo: runSendTo,
  cancel({ fields, path }, frame, params) {
    frame.effects.push({
      type: 'cancel',
      id: String(evaluate(fields.sendId, frame, params, `${path}.sendId`)),
    });
  },
  emit(call, frame, params) {
    frame.effects.push({ type: 'emit', event: eventOf(call, frame, params) });
  },
  log({ fields, path }, frame, params) {
    const value = evaluate(fields.value, frame, params, `${path}.value`);
    frame.effects.push({ type: 'log', label: optionalString(fields.label), value });
  },
  spawnChild: runSpawn,
  stopChild({ fields, path }, frame, params) {
    const actor = evaluate(fields.actorRef, frame, params, `${path}.actorRef`);
    frame.touched = true;
    frame.effects.push({ type: 'stopChild', id: idOfActor(actor) });
  },
};

/** Binds a built-in action; `params` are those of the name it was called by, if it was called by a name. */
export function bindBuiltin(runtime: Runtime, spec: Builtin, params: unknown, bindAction: BindAction): Op {
  const { fields, path, type } = spec;
  if (type === 'assign') return bindAssign(fields.assignment, path, params);
  if (type === 'enqueueActions')
    return bindEnqueue({ runtime, bindAction, collect: fields.collect, path, params });
  const call: BuiltinCall = { runtime, fields, path };
  const run = RUNS[type];
  return runOp((frame) => run(call, frame, evaluate(params, frame, undefined, `${path}.params`)));
}

function runRaise(call: BuiltinCall, frame: Frame, params: unknown): void {
  const event = eventOf(call, frame, params);
  const delay = delayOf(call.runtime, call.fields.delay, frame, params, `${call.path}.delay`);
  if (delay === undefined) frame.queue.push(event);
  else frame.effects.push({ type: 'raise', event, id: optionalString(call.fields.id), delay });
}

function runSendTo(call: BuiltinCall, frame: Frame, params: unknown): void {
  const { fields, path, runtime } = call;
  const event = eventOf(call, frame, params);
  const delay = delayOf(runtime, fields.delay, frame, params, `${path}.delay`);
  const to = evaluate(fields.to, frame, params, `${path}.to`);
  frame.effects.push({ type: 'send', to: idOfActor(to), event, id: optionalString(fields.id), delay });
}

function runSpawn({ fields, path, runtime }: BuiltinCall, frame: Frame, params: unknown): void {
  const src = typeof fields.src === 'string' ? fields.src : `${path}.src`;
  const id = evaluate(fields.id, frame, params, `${path}.id`);
  frame.touched = true;
  frame.effects.push({
    type: 'spawn',
    id: id === undefined ? `${runtime.chart.id}.${path}` : String(id),
    src,
    input: evaluate(fields.input, frame, params, `${path}.input`),
    systemId: optionalString(fields.systemId),
  });
}

function eventOf({ fields, path }: BuiltinCall, frame: Frame, params: unknown): EventObject {
  const event = evaluate(fields.event, frame, params, `${path}.event`);
  if (typeof event === 'object' && event !== null && typeof (event as EventObject).type === 'string')
    return event as EventObject;
  throw new ExpressionError(
    `${path}.event`,
    frame.event.type,
    new TypeError(`${text(event)} is no event with a type`),
  );
}

/** Milliseconds, or undefined for at once. A name must be bound. */
export function delayOf(
  runtime: Runtime,
  delay: unknown,
  frame: Frame,
  params: unknown,
  path: string,
): number | undefined {
  if (delay === undefined) return undefined;
  const bound = typeof delay === 'string' ? boundDelay(runtime, delay, path) : delay;
  const value = evaluate(bound, frame, params, path);
  if (typeof value !== 'number' || !(value >= 0) || value === Infinity)
    throw new InvalidDelayError(path, text(value));
  return value;
}

function boundDelay(runtime: Runtime, name: string, path: string): unknown {
  const delay = runtime.implementations.delays.get(name);
  if (delay === undefined) throw new UnboundNameError('delay', name, path);
  return delay;
}

function idOfActor(actor: unknown): string {
  if (typeof actor === 'string') return actor;
  return String((actor as { id?: unknown } | null | undefined)?.id ?? '#_internal');
}

function optionalString(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
