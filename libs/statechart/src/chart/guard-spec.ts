/** A guard as the config states it, read but not yet bound. */
export type GuardSpec =
  | { readonly kind: 'named'; readonly path: string; readonly name: string; readonly params: unknown }
  | { readonly kind: 'inline'; readonly path: string; readonly run: GuardFunction }
  | { readonly kind: 'and' | 'or' | 'not'; readonly path: string; readonly guards: readonly GuardSpec[] }
  | { readonly kind: 'stateIn'; readonly path: string; readonly value: unknown };

export type GuardFunction = (args: { context: never; event: never }, params: never) => unknown;
