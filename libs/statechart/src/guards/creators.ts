export function and(guards: readonly unknown[]): unknown {
  return { type: 'xstate.and', guards };
}
export function or(guards: readonly unknown[]): unknown {
  return { type: 'xstate.or', guards };
}
export function not(guard: unknown): unknown {
  return { type: 'xstate.not', guards: [guard] };
}
export function stateIn(stateValue: unknown): unknown {
  return { type: 'xstate.stateIn', stateValue };
}
