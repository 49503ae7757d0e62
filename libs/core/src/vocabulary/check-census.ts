import type { CensusLine } from '../ports/records.js';
import { isOwn, sagasOf, servedBy, type Build } from './build.js';
import { advice, type Lack } from './advice.js';
import type { KnownSaga } from './known-saga.js';

/** Something in the store that a build can't continue. */
export interface Finding extends Lack {
  /** How many instances, undo steps, timers or messages. */
  readonly count: number;
  /** What is there and what to do. */
  readonly message: string;
}

type InstancesLine = Extract<CensusLine, { kind: 'instances' }>;
type UndoLine = Extract<CensusLine, { kind: 'undo' }>;
type UnreadableLine = Extract<CensusLine, { kind: 'unreadable' }>;
type TimersLine = Extract<CensusLine, { kind: 'timers' }>;
type Sagas = ReturnType<typeof sagasOf>;

/** The definition that goes on with instances of a version, with the names that it has for their states. */
interface Continuation {
  readonly saga: KnownSaga;
  readonly renamed: Readonly<Record<string, string>>;
}

/** Compares what a store holds with what a build can continue. Pure; empty: it can continue everything. */
export function checkCensus(lines: readonly CensusLine[], build: Build): readonly Finding[] {
  const sagas = sagasOf(build);
  const serves = servedBy(build);
  const lacksOf = (line: CensusLine): readonly Lack[] => {
    if (line.kind === 'work')
      return serves(line.destination) ? [] : [{ kind: 'unserved-destination', name: line.destination }];
    if (isOwn(line.saga)) return [];
    if (line.kind === 'instances') return instances(line, sagas);
    if (line.kind === 'unreadable') return unreadable(line);
    return line.kind === 'undo' ? undo(line, sagas) : timers(line, sagas);
  };
  // One finding for each thing that is missing, whatever state or status its instances are in.
  const found = new Map<string, { readonly lack: Lack; count: number }>();
  for (const line of lines) {
    for (const lack of lacksOf(line)) {
      const id = JSON.stringify([lack.kind, lack.saga, lack.version, lack.name]);
      const entry = found.get(id) ?? { lack, count: 0 };
      entry.count += line.count;
      found.set(id, entry);
    }
  }
  return [...found.values()].map(({ lack, count }) => ({ ...lack, count, message: advice(lack, count) }));
}

function instances(
  { saga, definitionVersion: version, state }: InstancesLine,
  sagas: Sagas,
): readonly Lack[] {
  const versions = sagas.get(saga);
  if (versions === undefined) return [{ kind: 'unknown-saga', saga, name: saga }];
  const found = continuationOf(versions, version);
  if (typeof found === 'string') {
    const highest = Math.max(...versions.map((known) => known.version));
    const kind = found === 'newer' ? 'newer-version' : 'unknown-version';
    return [{ kind, saga, version, name: `version ${version}`, by: highest }];
  }
  const { saga: known, renamed } = found;
  return state
    .split('|')
    .map((part) => renamed[part] ?? part)
    .filter((part) => !known.states.includes(part))
    .map((name) => ({ kind: 'unknown-state', saga, version, name, by: known.version }));
}

/** Whatever the build is. */
function unreadable({ saga, definitionVersion: version }: UnreadableLine): readonly Lack[] {
  return [{ kind: 'unreadable-instance', saga, version, name: saga }];
}

function undo({ saga, definitionVersion: version, name }: UndoLine, sagas: Sagas): readonly Lack[] {
  const found = continuationOf(sagas.get(saga) ?? [], version);
  // Of its instances was told.
  if (typeof found === 'string' || found.saga.compensations.includes(name)) return [];
  return [{ kind: 'unknown-compensation', saga, version, name, by: found.saga.version }];
}

function timers({ saga, name }: TimersLine, sagas: Sagas): readonly Lack[] {
  const versions = sagas.get(saga);
  if (versions === undefined || versions.some((known) => knowsTimer(known, name))) return [];
  return [{ kind: 'unknown-timer', saga, name }];
}

/** Timers that an older version has armed tell its own names of states. */
function knowsTimer({ saga, timers, migrates }: KnownSaga, name: string): boolean {
  if (timers.includes(name)) return true;
  return [...migrates.values()].some((renamed) =>
    Object.entries(renamed).some(
      ([old, state]) =>
        name.endsWith(`.${saga}.${old}`) && timers.includes(`${name.slice(0, -old.length)}${state}`),
    ),
  );
}

function continuationOf(versions: readonly KnownSaga[], version: number): Continuation | 'older' | 'newer' {
  const own = versions.find((known) => known.version === version);
  if (own !== undefined) return { saga: own, renamed: {} };
  const [highest] = versions.toSorted((a, b) => b.version - a.version);
  if (highest === undefined) return 'older';
  if (version > highest.version) return 'newer';
  const renamed = highest.migrates.get(version);
  return renamed === undefined ? 'older' : { saga: highest, renamed };
}
