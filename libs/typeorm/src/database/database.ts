import type { DataSource } from 'typeorm';
import { StoreDataSourceError } from '../errors.js';
import { ownClient } from './own-client.js';
import type { OwnPgClient, PgClient, QueryAnswer } from './client.js';
import { KeptPlans } from './kept-plans.js';
import { bound, statement, type Statement } from './statement.js';
import { isUnavailable, mapped } from './unavailable.js';

/** What the store uses of TypeORM's `PostgresDriver`; all of it is public there. */
interface PostgresDriver {
  readonly master: PgPool;
  obtainMasterConnection(): Promise<[client: PgClient, release: (error?: unknown) => void]>;
}

/** The part of the pg driver's pool that the store uses. */
interface PgPool {
  on(event: 'connect', listener: (client: PgClient) => void): unknown;
}

const guarded = new WeakSet<PgPool>();

/** The caller's DataSource as the store sees it: statements on pooled connections. Never destroys it. */
export class Database {
  private plans: KeptPlans | undefined;

  constructor(
    readonly dataSource: DataSource,
    readonly schema: string,
  ) {
    const { type } = dataSource.options;
    if (type === 'postgres') return;
    throw new StoreDataSourceError(
      `The store needs a DataSource of type 'postgres', this one is of type '${type}': give another DataSource or another store.`,
    );
  }

  mustBeInitialised(): void {
    if (this.dataSource.isInitialized) return;
    throw new StoreDataSourceError(
      'The DataSource of the store is not initialised: await `dataSource.initialize()` before the store starts.',
    );
  }

  /**
   * A server that stops just when a pooled connection to it is made would end the process: between the pool and the one who asked for the connection
   * nobody listens for its error. The query that follows tells it as well.
   */
  guardNewConnections(): void {
    const { master } = this.dataSource.driver as unknown as PostgresDriver;
    if (guarded.has(master)) return;
    guarded.add(master);
    master.on('connect', (client) => client.on('error', () => undefined));
  }

  statement(operation: string, sql: string): Statement {
    return statement(operation, sql, this.schema);
  }

  /** Runs one statement in a transaction of its own. */
  async run<Row>(prepared: Statement, values: readonly unknown[]): Promise<QueryAnswer<Row>> {
    return this.withClient((client) => client.query<Row>(bound(prepared, values)));
  }

  /** As {@link run}, for a statement of any number of rows: one plan is as good as another for it, so it is made once. */
  async runBatch<Row>(prepared: Statement, values: readonly unknown[]): Promise<QueryAnswer<Row>> {
    // Not before the first statement: the DataSource may load its driver when it is initialised.
    const plans = (this.plans ??= new KeptPlans(this.dataSource));
    return this.withClient((client) => plans.run<Row>(client, bound(prepared, values)));
  }

  /** Lends a pooled connection to `work`. One that failed is not given back to the pool. */
  async withClient<T>(work: (client: PgClient) => Promise<T>): Promise<T> {
    const [client, release] = await this.obtain();
    let broken: Error | undefined;
    // A connection that breaks while it is lent tells so by an event as well, which would otherwise end the process.
    const onError = (error: Error): void => void (broken = error);
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      // Told by the answer of the server, before the connection itself says so.
      if (isUnavailable(error)) broken ??= error as Error;
      throw mapped(error);
    } finally {
      client.removeListener('error', onError);
      release(broken);
    }
  }

  /** A connection beside the pool, for what must not keep one of the application's. */
  ownClient(): OwnPgClient {
    return ownClient(this.dataSource);
  }

  private async obtain(): Promise<[PgClient, (error?: unknown) => void]> {
    try {
      return await (this.dataSource.driver as unknown as PostgresDriver).obtainMasterConnection();
    } catch (error) {
      throw mapped(error);
    }
  }
}
