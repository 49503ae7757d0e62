import { typeormStore, type TypeormStoreOptions } from '@nestjs-orchestrator/typeorm';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { createTestDatabase } from '../support/database.js';

/** A DataSource as an application makes it. */
export function dataSourceOf(
  url: string,
  options: Partial<Extract<DataSourceOptions, { type: 'postgres' }>> = {},
): DataSource {
  // Breaks of connections are provoked; the log of TypeORM would tell of each.
  return new DataSource({ type: 'postgres', url, poolErrorHandler: () => undefined, ...options });
}

/** Two nodes on one database, each with a pool of its own. */
export interface TwoNodes {
  readonly url: string;
  readonly sources: readonly [DataSource, DataSource];
  readonly stores: readonly [InstanceStore, InstanceStore];
  close(): Promise<void>;
}

export async function twoNodes(options: TypeormStoreOptions = {}): Promise<TwoNodes> {
  const database = await createTestDatabase();
  const { url } = database;
  const sources = [dataSourceOf(url), dataSourceOf(url)] as const;
  await Promise.all(sources.map((source) => source.initialize()));
  const stores = [typeormStore(sources[0], options), typeormStore(sources[1], options)] as const;
  await Promise.all(stores.map((store) => store.start()));
  return {
    url,
    sources,
    stores,
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await Promise.all(sources.map((source) => source.destroy()));
      await database.drop();
    },
  };
}
