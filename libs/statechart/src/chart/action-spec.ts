/** An action as the config states it, read but not yet bound. */
export type ActionSpec =
  | { readonly kind: 'named'; readonly path: string; readonly name: string; readonly params: unknown }
  | { readonly kind: 'inline'; readonly path: string; readonly run: unknown }
  | { readonly kind: 'builtin'; readonly path: string; readonly type: BuiltinType; readonly fields: Fields };

export const BUILTIN_TYPES = [
  'assign',
  'raise',
  'sendTo',
  'cancel',
  'emit',
  'log',
  'spawnChild',
  'stopChild',
  'enqueueActions',
] as const;

export type BuiltinType = (typeof BUILTIN_TYPES)[number];

/** Arguments of a built-in action under XState's property names. */
export interface Fields {
  readonly assignment?: unknown;
  readonly event?: unknown;
  readonly id?: unknown;
  readonly delay?: unknown;
  readonly to?: unknown;
  readonly sendId?: unknown;
  readonly value?: unknown;
  readonly label?: unknown;
  readonly src?: unknown;
  readonly input?: unknown;
  readonly systemId?: unknown;
  readonly actorRef?: unknown;
  readonly collect?: unknown;
}
