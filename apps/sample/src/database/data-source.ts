import { DataSource, EntityManager, type DataSourceOptions } from 'typeorm';

/** The one connection pool of the application: its own tables and the orchestrator's live side by side. */
export function dataSourceOptions(url: string): DataSourceOptions {
  return { type: 'postgres', url, applicationName: 'sample', poolSize: 20, connectTimeoutMS: 10_000 };
}

/** Opens the pool. */
export function openDataSource(url: string): Promise<DataSource> {
  return new DataSource(dataSourceOptions(url)).initialize();
}

/** The transaction that a message is handled in: its inbox row, our writes and our answers commit together. */
export function transactionOf(ctx: { readonly manager: unknown }): EntityManager {
  if (ctx.manager instanceof EntityManager) return ctx.manager;
  throw new TypeError(
    'This handler writes into the transaction of its message; run it on the Postgres store.',
  );
}
