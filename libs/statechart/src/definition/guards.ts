import type { GuardFunction, GuardSpec } from '../chart/guard-spec.js';
import { isRaw, type Raw, type Reading } from './reading.js';

const COMBINATORS: Readonly<Record<string, 'and' | 'or' | 'not'>> = { and: 'and', or: 'or', not: 'not' };

/** Reads a guard: a name, `{ type, params }`, a function, or a combinator of ours or of XState's. */
export function readGuard(reading: Reading, raw: unknown, path: string): GuardSpec | null {
  if (raw === undefined || raw === null) return null;
  if (typeof raw === 'string' && raw !== '') return { kind: 'named', path, name: raw, params: undefined };
  if (typeof raw === 'function') return readFunction(reading, raw, path);
  if (isRaw(raw) && typeof raw['type'] === 'string') return readObject(reading, raw, raw['type'], path);
  reading.fault(path, raw, 'a guard: a name, { type, params }, a function, or and/or/not/stateIn');
  return null;
}

function readObject(reading: Reading, raw: Raw, type: string, path: string): GuardSpec | null {
  if (type === 'xstate.stateIn') return { kind: 'stateIn', path, value: raw['stateValue'] };
  if (type.startsWith('xstate.')) return readCombinator(reading, type.slice(7), raw['guards'], path);
  return { kind: 'named', path, name: type, params: raw['params'] };
}

/** XState's own combinators are functions that carry their arguments as properties. */
function readFunction(reading: Reading, raw: object, path: string): GuardSpec | null {
  if (!('check' in raw)) return { kind: 'inline', path, run: raw as GuardFunction };
  if ('stateValue' in raw) return { kind: 'stateIn', path, value: raw.stateValue };
  const { name, guards } = raw as { name?: unknown; guards?: unknown };
  return readCombinator(reading, String(name), guards, path);
}

function readCombinator(reading: Reading, name: string, guards: unknown, path: string): GuardSpec | null {
  const kind = Object.hasOwn(COMBINATORS, name) ? COMBINATORS[name] : undefined;
  if (kind === undefined || !Array.isArray(guards)) {
    reading.fault(path, name, 'and, or, not or stateIn with its guards');
    return null;
  }
  const inner = guards.map((guard, index) => readGuard(reading, guard, `${path}.${name}[${index}]`));
  return { kind, path, guards: inner.filter((guard) => guard !== null) };
}
