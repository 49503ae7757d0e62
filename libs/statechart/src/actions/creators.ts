import type { EventObject } from '../types.js';

/** Context as a function sees it that says nothing more of it. */
export type Data = Readonly<Record<string, unknown>>;

/** What expressions, guards and `assign` are called with. */
export interface Args<C = Data, E = EventObject> {
  readonly context: C;
  readonly event: E;
}

/** A built-in action, as data: `assign` runs in the engine, the others come out as effects. */
export interface BuiltinAction {
  readonly type: `xstate.${string}`;
}

/** A value, or a function of `({ context, event }, params)` that returns it. */
export type Expression<R = unknown, C = Data, E = EventObject> = R | ((args: Args<C, E>, params: never) => R);

/** `id` makes a delayed event cancellable; `delay` is milliseconds, the name of a bound delay, or a function. */
export interface SendOptions {
  readonly id?: string;
  readonly delay?: number | string | ((args: never, params: never) => number);
}

/** Changes the context: by a function of `{ context, event }` that returns a part of it, or by such a function per key. */
export function assign<C = Data, E = EventObject>(
  assignment:
    ((args: Args<C, E>, params: never) => object) | { readonly [K in keyof C]?: Expression<C[K], C, E> },
): BuiltinAction {
  return builtin('assign', { assignment });
}

/** Puts an event into the machine's own internal queue, or sends it to itself after `delay`. */
export function raise<C = Data, E = EventObject>(
  event: Expression<EventObject, C, E>,
  options: SendOptions = {},
): BuiltinAction {
  return builtin('raise', { event, ...options });
}

/** Sends an event to another actor, by its id or by a function that finds it. */
export function sendTo<C = Data, E = EventObject>(
  to: Expression<string | { readonly id: string }, C, E>,
  event: Expression<EventObject, C, E>,
  options: SendOptions = {},
): BuiltinAction {
  return builtin('sendTo', { to, event, ...options });
}

/** Sends an event to whoever spawned or invoked this machine. */
export function sendParent<C = Data, E = EventObject>(
  event: Expression<EventObject, C, E>,
  options: SendOptions = {},
): BuiltinAction {
  return sendTo<C, E>('#_parent', event, options);
}

/** Withdraws a delayed event by the `id` it was sent with. */
export function cancel<C = Data, E = EventObject>(sendId: Expression<string, C, E>): BuiltinAction {
  return builtin('cancel', { sendId });
}

/** Tells an event to the observers of the machine; no machine receives it. */
export function emit<C = Data, E = EventObject>(event: Expression<EventObject, C, E>): BuiltinAction {
  return builtin('emit', { event });
}

/** Writes a value, or what a function of `{ context, event }` returns, to the log of the runner. */
export function log<C = Data, E = EventObject>(
  value: Expression<unknown, C, E>,
  label?: string,
): BuiltinAction {
  return builtin('log', { value, label });
}

/** Starts a child actor that lives as long as the machine, whatever its states. */
export function spawnChild<C = Data, E = EventObject>(
  src: string,
  options: {
    readonly id?: Expression<string, C, E>;
    readonly input?: Expression<unknown, C, E>;
    readonly systemId?: string;
  } = {},
): BuiltinAction {
  return builtin('spawnChild', { src, ...options });
}

/** Ends a child actor before its time. */
export function stopChild<C = Data, E = EventObject>(
  actorRef: Expression<string | { readonly id: string }, C, E>,
): BuiltinAction {
  return builtin('stopChild', { actorRef });
}

/** What the function of `enqueueActions` is called with. */
export interface EnqueueArgs<C = Data, E = EventObject> extends Args<C, E> {
  readonly enqueue: Enqueue;
  /** Asks a guard, by name or in place. */
  check(guard: unknown): boolean;
}

/** Takes actions in the order in which they are to run. */
export interface Enqueue {
  (action: unknown): void;
  readonly assign: (...args: Parameters<typeof assign>) => void;
  readonly raise: (...args: Parameters<typeof raise>) => void;
  readonly sendTo: (...args: Parameters<typeof sendTo>) => void;
  readonly sendParent: (...args: Parameters<typeof sendParent>) => void;
  readonly cancel: (...args: Parameters<typeof cancel>) => void;
  readonly emit: (...args: Parameters<typeof emit>) => void;
  readonly log: (...args: Parameters<typeof log>) => void;
  readonly spawnChild: (...args: Parameters<typeof spawnChild>) => void;
  readonly stopChild: (...args: Parameters<typeof stopChild>) => void;
}

/** Collects actions at run time, by a function that may ask guards; they run in its place. */
export function enqueueActions<C = Data, E = EventObject>(
  collect: (args: EnqueueArgs<C, E>, params: never) => void,
): BuiltinAction {
  return builtin('enqueueActions', { collect });
}

function builtin(type: string, fields: object): BuiltinAction {
  return { type: `xstate.${type}`, ...fields };
}
