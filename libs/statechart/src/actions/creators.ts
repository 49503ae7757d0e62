export function assign(assignment: unknown): unknown {
  return { type: 'xstate.assign', assignment };
}
export function raise(event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return { type: 'xstate.raise', event, ...options };
}
export function sendTo(to: unknown, event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return { type: 'xstate.sendTo', to, event, ...options };
}
export function sendParent(event: unknown, options: { id?: string; delay?: unknown } = {}): unknown {
  return sendTo('#_parent', event, options);
}
export function cancel(sendId: unknown): unknown {
  return { type: 'xstate.cancel', sendId };
}
export function emit(event: unknown): unknown {
  return { type: 'xstate.emit', event };
}
export function log(value: unknown, label?: string): unknown {
  return { type: 'xstate.log', value, label };
}
export function spawnChild(
  src: unknown,
  options: { id?: unknown; input?: unknown; systemId?: string } = {},
): unknown {
  return { type: 'xstate.spawnChild', src, ...options };
}
export function stopChild(actorRef: unknown): unknown {
  return { type: 'xstate.stopChild', actorRef };
}
export function enqueueActions(collect: unknown): unknown {
  return { type: 'xstate.enqueueActions', collect };
}
