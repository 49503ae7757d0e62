import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import type { DataSource } from 'typeorm';
import { Database } from './database/database.js';
import { schemaName, type TypeormStoreOptions } from './options.js';
import { PostgresStore } from './postgres-store.js';

/**
 * A store in Postgres, through the application's own `DataSource`, which stays the application's: the store neither initialises nor destroys it.
 * Its tables have a schema of their own; `synchronize` does not touch them. Throws `StoreDataSourceError` for another database.
 *
 * The store takes connections from the DataSource's pool for single statements, and has one of its own to listen.
 */
export function typeormStore(dataSource: DataSource, options: TypeormStoreOptions = {}): InstanceStore {
  return new PostgresStore(new Database(dataSource, schemaName(options)), options.migrations ?? 'run');
}
