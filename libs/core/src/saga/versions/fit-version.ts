import { tellable } from '../../errors/tellable.js';
import { parseJson, toJson } from '../../message/json.js';
import type { CurrentInstance } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { StoredNotes } from '../run/notes.js';
import { SagaMigrationError } from '../saga-errors.js';
import type { SagaMigration } from './saga-migration.js';

/** An instance and the definition that it is continued with. */
export interface Fitted {
  readonly saga: CompiledSaga;
  readonly instance: CurrentInstance;
  /** The version that it was of, where it has just been migrated; what became of it is to be checked. */
  readonly migratedFrom?: number;
}

/** `newer`: another node knows it. `older`: this build neither has its version nor a migration from it. */
export type Misfit = 'newer' | 'older';

/**
 * Finds the definition that continues an instance: its own version while that is registered, else the highest one, if that says how to migrate it.
 * The migrated instance is stored by the commit that follows. Pure, but for the migration's function.
 *
 * @throws SagaMigrationError where that fails, or gives what can't be stored
 */
export function fitVersion(
  versions: ReadonlyMap<number, CompiledSaga>,
  highest: CompiledSaga,
  instance: CurrentInstance,
): Fitted | Misfit {
  const { definitionVersion } = instance;
  const own = versions.get(definitionVersion);
  if (own !== undefined) return { saga: own, instance };
  if (definitionVersion > highest.definition.version) return 'newer';
  const migration = highest.definition.migrate.get(definitionVersion);
  if (migration === undefined) return 'older';
  return {
    saga: highest,
    instance: migrated(instance, highest, migration),
    migratedFrom: definitionVersion,
  };
}

/** The definition that does work of an instance's version: its own, or the one that instances of it are migrated to. */
export function successorOf(
  versions: ReadonlyMap<number, CompiledSaga>,
  version: number,
): CompiledSaga | Misfit {
  const own = versions.get(version);
  if (own !== undefined) return own;
  const highest = Math.max(...versions.keys());
  if (version > highest) return 'newer';
  const saga = versions.get(highest);
  return saga?.definition.migrate.has(version) === true ? saga : 'older';
}

interface StoredMachine {
  readonly states: readonly string[];
  readonly history?: Readonly<Record<string, readonly string[]>>;
  readonly epochs?: Readonly<Record<string, number>>;
  readonly saga?: StoredNotes;
}

function migrated(
  instance: CurrentInstance,
  { definition }: CompiledSaga,
  { data, states = {} }: SagaMigration,
): CurrentInstance {
  const failed = (problem: string, cause?: unknown): SagaMigrationError =>
    new SagaMigrationError(definition.name, instance.definitionVersion, definition.version, problem, cause);
  const machine = parseJson(instance.machine) as StoredMachine;
  const nodes = new Map(
    Object.entries(states).map(([old, target]) => [
      `${definition.name}.${old}`,
      `${definition.name}.${target}`,
    ]),
  );
  const renamed = (node: string): string => nodes.get(node) ?? node;
  const former = machine.saga?.renamed ?? {};
  const next: StoredMachine = {
    ...machine,
    states: machine.states.map(renamed),
    ...(machine.history === undefined
      ? {}
      : { history: renamedKeys(machine.history, renamed, (of) => of.map(renamed)) }),
    ...(machine.epochs === undefined ? {} : { epochs: renamedKeys(machine.epochs, renamed, (n) => n) }),
    // Timers that were armed before name their states as they were.
    ...(nodes.size === 0
      ? {}
      : {
          saga: {
            ...machine.saga,
            ...invocationsOf(machine, states),
            renamed: { ...renamedValues(former, renamed), ...Object.fromEntries(nodes) },
          },
        }),
  };
  const text = data === undefined ? instance.data : migratedData(data, instance.data, failed);
  return {
    ...instance,
    definitionVersion: definition.version,
    data: text,
    machine: toJson(next, 'migrated snapshot'),
  };
}

function migratedData(
  data: (old: never) => unknown,
  old: string,
  failed: (problem: string, cause?: unknown) => SagaMigrationError,
): string {
  let next: unknown;
  try {
    next = data(parseJson(old) as never);
  } catch (error) {
    throw failed(`its function threw ${String(tellable(error))}`, error);
  }
  if (next instanceof Promise) {
    // Nobody waits for it, and nobody must be told of its end.
    next.catch(() => {});
    throw failed('its function gave a promise, and has to be synchronous');
  }
  try {
    return toJson(next, 'the data that it gave');
  } catch (error) {
    throw failed(error instanceof Error ? error.message.replace(/\.$/, '') : String(error), error);
  }
}

function renamedKeys<T>(
  record: Readonly<Record<string, T>>,
  renamed: (key: string) => string,
  value: (of: T) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, of]) => [renamed(key), value(of)]));
}

function renamedValues(
  record: Readonly<Record<string, string>>,
  renamed: (key: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, renamed(value)]));
}

/** What waits for activities has the names of this version's states. */
function invocationsOf(
  { saga }: StoredMachine,
  states: Readonly<Record<string, string>>,
): Pick<StoredNotes, 'invocations'> {
  if (saga?.invocations === undefined) return {};
  return { invocations: renamedValues(saga.invocations, (path) => states[path] ?? path) };
}
