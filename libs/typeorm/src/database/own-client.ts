import type { DataSource, DataSourceOptions } from 'typeorm';
import type { OwnPgClient } from './client.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** Makes a client with the library and the options that TypeORM makes its pool with. */
export function ownClient(dataSource: DataSource): OwnPgClient {
  const { postgres } = dataSource.driver as unknown as {
    readonly postgres: { readonly Client: new (options: object) => OwnPgClient };
  };
  return new postgres.Client(clientOptions(dataSource.options as PostgresOptions));
}

/** The same translation of names that TypeORM's driver does; listening needs the master. */
export function clientOptions(options: PostgresOptions): object {
  const { url, host, username, password, database, port, ssl } = options.replication?.master ?? options;
  return {
    connectionString: url,
    host,
    user: username,
    password,
    database,
    port,
    ssl,
    connectionTimeoutMillis: options.connectTimeoutMS,
    application_name: options.applicationName,
    ...(options.extra as object | undefined),
    // A listening connection is silent for hours; this tells that its server is gone.
    keepAlive: true,
  };
}
