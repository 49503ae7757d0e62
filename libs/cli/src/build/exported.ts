import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import type { describeApplication } from '@nestjs-orchestrator/nest';
import { CommandError } from '../errors.js';

type Exports = Readonly<Record<string, unknown>>;
type NestModule = Parameters<typeof describeApplication>[0];

/** Under these names `@Module` keeps what it was given. */
const MODULE_METADATA = ['imports', 'providers', 'controllers', 'exports'];

/**
 * The Nest module that a file exports.
 *
 * @throws CommandError for none, and for several of which none is named or called `AppModule`
 */
export function moduleIn(exported: Exports, file: string, name: string | undefined): NestModule {
  const modules = Object.entries(plain(exported)).filter(([, value]) => isModule(value));
  const [only] = modules.length === 1 ? modules : modules.filter(([key]) => key === (name ?? 'AppModule'));
  const found = name === undefined ? only : modules.find(([key]) => key === name);
  if (found !== undefined) return found[1] as NestModule;
  const names = modules.map(([key]) => key).join(', ');
  if (name !== undefined)
    throw new CommandError(`${file} exports no Nest module '${name}'. Its modules: ${names || 'none'}.`);
  throw new CommandError(
    modules.length === 0
      ? `${file} exports no Nest module. Give the file of the application's root module, not the one that starts it.`
      : `${file} exports several Nest modules: ${names}. Name one: ${file}#${modules[0]?.[0]}.`,
  );
}

/**
 * The sagas that a file exports, alone or in lists.
 *
 * @throws CommandError for none
 */
export function behavioursIn(exported: Exports, file: string): readonly SagaBehaviour[] {
  const values = Object.values(plain(exported)).flat();
  const found = [...new Set(values.filter(isBehaviour))];
  if (found.length > 0) return found;
  throw new CommandError(
    `${file} exports no saga: export what buildSaga(), steps() or sagaBehaviour() returned.`,
  );
}

/** What a CommonJS file exports comes as the default one, too. */
function plain(exported: Exports): Exports {
  const inner: unknown = exported['default'];
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !isBehaviour(inner)
    ? { ...(inner as Exports), ...exported, default: undefined }
    : exported;
}

function isModule(value: unknown): value is NestModule {
  const reflect = Reflect as { hasOwnMetadata?: (key: string, target: object) => boolean };
  return (
    typeof value === 'function' &&
    MODULE_METADATA.some((key) => reflect.hasOwnMetadata?.(key, value) === true)
  );
}

function isBehaviour(value: unknown): value is SagaBehaviour {
  return typeof value === 'object' && value !== null && 'definition' in value && 'transitions' in value;
}
