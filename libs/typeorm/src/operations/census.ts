import { openUndoSteps, type CensusLine, type SagaStatus } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { sqlState } from '../database/unavailable.js';
import { censusGroupsSql, censusSql, censusUndoSql } from './census.sql.js';

interface Row {
  readonly kind: Exclude<CensusLine['kind'], 'unreadable'>;
  readonly saga: string;
  readonly definitionVersion: number;
  readonly state: string;
  readonly status: string;
  readonly name: string | null;
  readonly destination: string;
  readonly count: number;
}

interface UndoRow {
  readonly tenant: string;
  readonly saga: string;
  readonly id: string;
  readonly definitionVersion: number;
  readonly undo: string;
}

const PAGE = 1_000;
/** SQLSTATE of values that a statement can't take (data exceptions). */
const OF_THE_DATA = /^22/;

/** Counts what a new build must be able to continue. */
export async function census(database: Database): Promise<readonly CensusLine[]> {
  const rows = await countedByServer(database);
  if (rows !== undefined) return rows.map(censusLine);
  const groups = await database.run<Row>(database.statement('census_groups', censusGroupsSql), []);
  return [...groups.rows.map(censusLine), ...(await undoOneByOne(database))];
}

/** `undefined`: the undo steps of an instance can't be read, and the server can't tell which. */
async function countedByServer(database: Database): Promise<readonly Row[] | undefined> {
  try {
    const { rows } = await database.run<Row>(database.statement('census', censusSql), []);
    return rows.some(({ kind, name }) => kind === 'undo' && name === null) ? undefined : rows;
  } catch (error) {
    if (OF_THE_DATA.test(sqlState(error) ?? '')) return undefined;
    throw error;
  }
}

async function undoOneByOne(database: Database): Promise<readonly CensusLine[]> {
  const lines = new Map<string, CensusLine>();
  const count = (line: CensusLine): void => {
    const name = JSON.stringify(line);
    lines.set(name, { ...line, count: (lines.get(name)?.count ?? 0) + 1 });
  };
  const statement = database.statement('census_undo', censusUndoSql);
  let after: readonly string[] = ['', '', ''];
  for (let last = PAGE; last === PAGE;) {
    const { rows } = await database.run<UndoRow>(statement, [...after, PAGE]);
    for (const { saga, definitionVersion, undo } of rows) {
      const open = openUndoSteps(undo);
      if (open === null) count({ kind: 'unreadable', saga, definitionVersion, count: 1 });
      for (const name of open ?? []) count({ kind: 'undo', saga, definitionVersion, name, count: 1 });
    }
    last = rows.length;
    const end = rows.at(-1);
    if (end !== undefined) after = [end.id, end.saga, end.tenant];
  }
  return [...lines.values()];
}

function censusLine(row: Row): CensusLine {
  const { kind, saga, definitionVersion, state, destination, count } = row;
  const name = row.name ?? '';
  if (kind === 'timers') return { kind, saga, name, count };
  if (kind === 'work') return { kind, destination, count };
  if (kind === 'undo') return { kind, saga, definitionVersion, name, count };
  return { kind, saga, definitionVersion, state, status: row.status as SagaStatus, count };
}
