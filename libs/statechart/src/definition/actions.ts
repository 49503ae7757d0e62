import { type ActionSpec, BUILTIN_TYPES, type BuiltinType, type Fields } from '../chart/action-spec.js';
import { isRaw, listOf, type Reading } from './reading.js';

const PREFIX = 'xstate.';

/** Reads the actions of one place: names, `{ type, params }`, functions, or built-in actions of ours or of XState's. */
export function readActions(reading: Reading, raw: unknown, path: string): readonly ActionSpec[] {
  if (raw === null) return [];
  return listOf(raw).flatMap((action, index) => {
    const spec = readAction(action, `${path}[${index}]`);
    if (spec === null) {
      reading.fault(
        `${path}[${index}]`,
        action,
        'an action: a name, { type, params }, a function or a built-in action',
      );
      return [];
    }
    reading.actions.push(spec);
    if (spec.kind === 'inline') reading.inlineActions.set(spec.path, spec.run);
    return [spec];
  });
}

/** Reads one action; null when it is none. Also used for what `enqueueActions` collects at run time. */
export function readAction(raw: unknown, path: string): ActionSpec | null {
  if (typeof raw === 'string' && raw !== '') return { kind: 'named', path, name: raw, params: undefined };
  const type = typeOf(raw);
  const builtin = builtinType(type);
  if (builtin !== null) return { kind: 'builtin', path, type: builtin, fields: raw as Fields };
  if (typeof raw === 'function') return { kind: 'inline', path, run: raw };
  if (type === null || type === '') return null;
  return { kind: 'named', path, name: type, params: (raw as { params?: unknown }).params };
}

function typeOf(raw: unknown): string | null {
  if (typeof raw !== 'function' && !isRaw(raw)) return null;
  const type = (raw as { type?: unknown }).type;
  return typeof type === 'string' ? type : null;
}

function builtinType(type: string | null): BuiltinType | null {
  if (type === null || !type.startsWith(PREFIX)) return null;
  const name = type.slice(PREFIX.length);
  return BUILTIN_TYPES.find((candidate) => candidate === name) ?? null;
}
