import type { ActionSpec } from '../chart/action-spec.js';
import type { GuardSpec } from '../chart/guard-spec.js';
import type { Reading } from './reading.js';

/** Lists of names; where one is given, nothing else may be used. */
export interface DeclaredNames {
  readonly actions?: unknown;
  readonly guards?: unknown;
  readonly delays?: unknown;
  readonly events?: unknown;
}

/** Finds names that a list of declared ones does not have. */
export function checkNames(reading: Reading, declared: DeclaredNames): void {
  const { nodes, transitions, actions } = reading;
  const named = actions.flatMap((action) => namedAction(action));
  const guards = transitions.flatMap(({ guard }) => (guard === null ? [] : namedGuards(guard)));
  const delays = nodes.flatMap(({ afters }) =>
    afters.map(({ delay, path }) => ({ name: String(delay), path, free: typeof delay === 'number' })),
  );
  const events = transitions.flatMap(({ descriptor, path }) =>
    descriptor === null ? [] : [{ name: descriptor, path, free: isFreeEvent(descriptor) }],
  );
  checkAgainst(reading, declared.actions, named);
  checkAgainst(reading, declared.guards, guards);
  checkAgainst(reading, declared.delays, delays);
  checkAgainst(reading, declared.events, events);
}

interface Use {
  readonly name: string;
  readonly path: string;
  /** Needs no declaration. */
  readonly free?: boolean;
}

function checkAgainst(reading: Reading, declared: unknown, uses: readonly Use[]): void {
  if (!Array.isArray(declared)) return;
  const names = new Set<unknown>(declared);
  for (const { name, path, free } of uses) {
    if (free === true || names.has(name)) continue;
    reading.fault(path, name, `one of ${[...names].slice(0, 12).join(', ')}`);
  }
}

function namedAction(action: ActionSpec): Use[] {
  return action.kind === 'named' ? [action] : [];
}

function namedGuards(guard: GuardSpec): Use[] {
  if ('guards' in guard) return guard.guards.flatMap(namedGuards);
  return guard.kind === 'named' ? [guard] : [];
}

function isFreeEvent(descriptor: string): boolean {
  return descriptor.startsWith('xstate.') || descriptor === '*' || descriptor.endsWith('.*');
}
