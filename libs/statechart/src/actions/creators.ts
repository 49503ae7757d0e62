/** Changes the context: by a function of `{ context, event }` that returns a part of it, or by such a function per key. */
export function assign(assignment: unknown): unknown {
  return { type: 'xstate.assign', assignment };
}

/** Puts an event into the machine's own internal queue, or sends it to itself after `delay` (milliseconds, a name or a function). */
export function raise(event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return { type: 'xstate.raise', event, ...options };
}

/** Sends an event to another actor, by its id or by a function that finds it; `id` makes a delayed one cancellable. */
export function sendTo(to: unknown, event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return { type: 'xstate.sendTo', to, event, ...options };
}

/** Sends an event to whoever spawned or invoked this machine. */
export function sendParent(event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return sendTo('#_parent', event, options);
}

/** Withdraws a delayed event by the `id` it was sent with. */
export function cancel(sendId: unknown): unknown {
  return { type: 'xstate.cancel', sendId };
}

/** Tells an event to the observers of the machine; no machine receives it. */
export function emit(event: unknown): unknown {
  return { type: 'xstate.emit', event };
}

/** Writes a value, or what a function of `{ context, event }` returns, to the log of the runner. */
export function log(value: unknown, label?: string): unknown {
  return { type: 'xstate.log', value, label };
}

/** Starts a child actor that lives as long as the machine, whatever its states. */
export function spawnChild(
  src: unknown,
  options: { id?: unknown; input?: unknown; systemId?: string } = {},
): unknown {
  return { type: 'xstate.spawnChild', src, ...options };
}

/** Stops a child actor, by its id or by a function that finds it. */
export function stopChild(actorRef: unknown): unknown {
  return { type: 'xstate.stopChild', actorRef };
}

/** Runs a function that collects the actions to take, and may `check` guards while it does. */
export function enqueueActions(collect: unknown): unknown {
  return { type: 'xstate.enqueueActions', collect };
}
