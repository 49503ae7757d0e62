import type { CensusLine, SagaStatus } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { censusSql } from './census.sql.js';

interface Row {
  readonly kind: CensusLine['kind'];
  readonly saga: string;
  readonly definitionVersion: number;
  readonly state: string;
  readonly status: string;
  readonly name: string;
  readonly destination: string;
  readonly count: number;
}

/** Counts what a new build must be able to continue. */
export async function census(database: Database): Promise<readonly CensusLine[]> {
  const { rows } = await database.run<Row>(database.statement('census', censusSql), []);
  return rows.map(censusLine);
}

function censusLine(row: Row): CensusLine {
  const { kind, saga, definitionVersion, state, name, destination, count } = row;
  if (kind === 'timers') return { kind, saga, name, count };
  if (kind === 'work') return { kind, destination, count };
  if (kind === 'undo') return { kind, saga, definitionVersion, name, count };
  return { kind, saga, definitionVersion, state, status: row.status as SagaStatus, count };
}
