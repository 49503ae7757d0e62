import type { Report } from '../definition/report.js';

/** How instances of an older version become instances of this one, when they are loaded. */
export interface SagaMigration<D = unknown, S extends string = string> {
  /**
   * The data of this version from that of the older one, which is a private copy. Synchronous and without effects: it runs whenever such an instance is
   * met. Where it throws, or gives what the schema refuses, the instance is held as it was (`SagaMigrationError`). Default: it stays as it is.
   */
  readonly data?: (old: never) => D;
  /** States of the older version that have another name in this one. */
  readonly states?: Readonly<Record<string, S>>;
}

/** What a definition says of older versions, by their number; each leads to this version at once, there are no chains. */
export type SagaMigrations<D, S extends string> = Readonly<Record<number, SagaMigration<D, S>>>;

/** Reads and checks what a definition says of older versions. */
export function readMigrations(
  migrations: Readonly<Record<string, SagaMigration>> | undefined,
  version: number,
  states: readonly string[],
  report: Report,
): ReadonlyMap<number, SagaMigration> {
  const read = new Map<number, SagaMigration>();
  for (const [from, migration] of Object.entries(migrations ?? {})) {
    const number = Number(from);
    if (!Number.isInteger(number) || number < 1 || number >= version)
      report(`migrate.${from}`, `'${from}' must be a whole number from 1 and below version ${version}`);
    for (const [old, target] of Object.entries(migration.states ?? {})) {
      if (!states.includes(target))
        report(`migrate.${from}.states.${old}`, `'${target}' is no state of version ${version}`);
    }
    read.set(number, migration);
  }
  return read;
}
