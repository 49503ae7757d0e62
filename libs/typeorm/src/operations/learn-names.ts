import type { SagaName } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { columns } from '../database/statement.js';
import { learnNamesSql } from './learn-names.sql.js';

/** Adds names, and answers all of the same sagas. */
export async function learnNames(
  database: Database,
  names: readonly SagaName[],
): Promise<readonly SagaName[]> {
  if (names.length === 0) return [];
  const values = columns(
    names,
    ({ saga }) => saga,
    ({ version }) => version,
    ({ kind }) => kind,
    ({ name }) => name,
  );
  return (await database.run<SagaName>(database.statement('learn_names', learnNamesSql), values)).rows;
}
