import { StoreSchemaError } from '@nestjs-orchestrator/core';
import type { DataSource } from 'typeorm';
import type { PgClient } from '../database/client.js';
import { Database } from '../database/database.js';
import { inSchema } from '../database/statement.js';
import { schemaName, type TypeormStoreOptions } from '../options.js';
import { KNOWN_VERSION, migrations } from './migrations.js';

/**
 * Brings the store's tables up to date, in one transaction and under an advisory lock, so that nodes that start together don't meet. Apart from
 * the application's own migrations. Throws `StoreSchemaError` if the tables are newer than this build.
 */
export async function migrate(
  dataSource: DataSource,
  options: Pick<TypeormStoreOptions, 'schema'> = {},
): Promise<void> {
  const database = new Database(dataSource, schemaName(options));
  database.mustBeInitialised();
  await database.withClient((client) => inTransaction(client, () => bringUpToDate(client, database.schema)));
}

/** Throws `StoreSchemaError` unless the tables are exactly those of this build. */
export async function checkSchema(database: Database): Promise<void> {
  const found = await database.withClient((client) => foundVersion(client, database.schema));
  refuseNewer(found);
  if (found === KNOWN_VERSION) return;
  throw new StoreSchemaError(
    `The tables in schema '${database.schema}' have version ${found}, this build needs ${KNOWN_VERSION}: run migrate(dataSource) first.`,
    found,
    KNOWN_VERSION,
  );
}

async function bringUpToDate(client: PgClient, schema: string): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('orchestrator migrate', 0))`);
  const found = await foundVersion(client, schema);
  refuseNewer(found);
  if (found === 0) await client.query(inSchema(OWN_TABLE, schema).replace('$schema', () => quoted(schema)));
  for (const { version, name, sql } of migrations.filter((each) => each.version > found)) {
    await client.query(inSchema(sql, schema));
    await client.query(
      inSchema(`INSERT INTO orchestrator.migration (version, name) VALUES (${version}, '${name}')`, schema),
    );
  }
}

const OWN_TABLE = `
CREATE SCHEMA IF NOT EXISTS $schema;
CREATE TABLE IF NOT EXISTS orchestrator.migration (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

async function foundVersion(client: PgClient, schema: string): Promise<number> {
  const table = inSchema('orchestrator.migration', schema);
  const { rows } = await client.query<{ found: boolean }>({
    name: '',
    text: 'SELECT to_regclass($1) IS NOT NULL AS found',
    values: [table],
  });
  if (rows[0]?.found !== true) return 0;
  const versions = await client.query<{ version: number | null }>(
    `SELECT max(version) AS version FROM ${table}`,
  );
  return versions.rows[0]?.version ?? 0;
}

function refuseNewer(found: number): void {
  if (found <= KNOWN_VERSION) return;
  throw new StoreSchemaError(
    `The store's tables have version ${found}, this build knows versions up to ${KNOWN_VERSION}: a newer build has migrated them. Deploy that one.`,
    found,
    KNOWN_VERSION,
  );
}

async function inTransaction(client: PgClient, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  try {
    await work();
    await client.query('COMMIT');
  } catch (error) {
    // A connection that is gone has rolled back already, and the first error tells more.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
