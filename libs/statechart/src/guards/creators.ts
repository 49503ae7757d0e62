import type { StateValue } from '../types.js';

/** A guard made of others, or of where the machine is, as data. */
export interface BuiltinGuard {
  readonly type: `xstate.${string}`;
  readonly guards?: readonly unknown[];
}

/** Passes when all of the guards do. */
export function and(guards: readonly unknown[]): BuiltinGuard {
  return { type: 'xstate.and', guards };
}

/** Passes when one of the guards does. */
export function or(guards: readonly unknown[]): BuiltinGuard {
  return { type: 'xstate.or', guards };
}

/** Passes when the guard does not. */
export function not(guard: unknown): BuiltinGuard {
  return { type: 'xstate.not', guards: [guard] };
}

/** Passes when the machine is in the state: `'a.b'`, `{ a: 'b' }` or `'#id'`. */
export function stateIn(stateValue: StateValue): BuiltinGuard & { readonly stateValue: StateValue } {
  return { type: 'xstate.stateIn', stateValue };
}
