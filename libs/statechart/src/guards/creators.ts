/** Passes when every guard passes. */
export function and(guards: readonly unknown[]): unknown {
  return { type: 'xstate.and', guards };
}

/** Passes when at least one guard passes. */
export function or(guards: readonly unknown[]): unknown {
  return { type: 'xstate.or', guards };
}

/** Passes when the guard does not. */
export function not(guard: unknown): unknown {
  return { type: 'xstate.not', guards: [guard] };
}

/** Passes while the machine is in the given state: a state value, or the `#id` of a state. */
export function stateIn(stateValue: unknown): unknown {
  return { type: 'xstate.stateIn', stateValue };
}
