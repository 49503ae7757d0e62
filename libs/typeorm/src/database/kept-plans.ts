import type { DataSource } from 'typeorm';
import { DEFAULT_SCHEMA } from '../options.js';
import type { NamedQuery, PgClient, QueryAnswer } from './client.js';
import { statement } from './statement.js';
import { sqlState } from './unavailable.js';

/** For the transaction, which ends with the statement that follows. */
const SETTING = statement(
  'keep_plan',
  `SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`,
  DEFAULT_SCHEMA,
);

/** Servers before Postgres 12, and others that speak its protocol, have no such setting. */
const UNKNOWN_SETTING = '42704';

/** What goes over a connection of the pg driver. */
interface Wire {
  bind(config: { readonly statement: string; readonly values: readonly unknown[] }): void;
  execute(config: object): void;
}

type Settled = (error: Error | null | undefined, answer: QueryAnswer<never>) => void;

/** The pg driver's query, as other queries of its are made from it. */
interface PgQuery {
  prepare(wire: Wire): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, wire: Wire): void;
}

type PgQueryClass = new (query: NamedQuery, values: undefined, settled: Settled) => PgQuery;

/** Whether a connection knows the setting, and has it prepared. */
const ready = new WeakMap<PgClient, boolean>();

/**
 * Runs statements with the plan that is for all values, and is made once per connection. Left to itself, Postgres plans a statement anew for each of its first five
 * executions, which takes many times as long as the large ones run, whenever the pool makes a connection: just when many messages come at once.
 *
 * The setting for that goes with the statement, in one message to the server and one transaction: other statements of the connection, which is the application's,
 * never see it.
 */
export class KeptPlans {
  private readonly queryClass: PgQueryClass | undefined;

  constructor(dataSource: DataSource) {
    const { postgres } = dataSource.driver as unknown as { readonly postgres?: { readonly Query?: unknown } };
    // The driver's native form has a query of another kind, which sends nothing by itself.
    if (isQueryClass(postgres?.Query)) this.queryClass = behindTheSetting(postgres.Query);
  }

  async run<Row>(client: PgClient, query: NamedQuery): Promise<QueryAnswer<Row>> {
    const { queryClass } = this;
    if (queryClass === undefined || !(ready.get(client) ?? (await prepared(client))))
      return client.query(query);
    return new Promise<QueryAnswer<Row>>((resolve, reject) => {
      const submitted = new queryClass(query, undefined, (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      });
      void client.query(submitted as never);
    });
  }
}

async function prepared(client: PgClient): Promise<boolean> {
  const known = await client.query({ name: SETTING.name, text: SETTING.text, values: [] }).then(
    () => true,
    (error: unknown) => {
      if (sqlState(error) === UNKNOWN_SETTING) return false;
      throw error;
    },
  );
  ready.set(client, known);
  return known;
}

function isQueryClass(found: unknown): found is PgQueryClass {
  if (typeof found !== 'function') return false;
  const { prepare, handleDataRow, handleCommandComplete } = found.prototype as Partial<PgQuery>;
  return [prepare, handleDataRow, handleCommandComplete].every((method) => typeof method === 'function');
}

/** A query that sends the setting before it, and takes no notice of what that answers: one row, and that it is done. */
function behindTheSetting(Query: PgQueryClass): PgQueryClass {
  return class extends Query {
    #isSet = false;

    override prepare(wire: Wire): void {
      wire.bind({ statement: SETTING.name, values: [] });
      wire.execute({});
      super.prepare(wire);
    }

    override handleDataRow(message: unknown): void {
      if (this.#isSet) super.handleDataRow(message);
    }

    override handleCommandComplete(message: unknown, wire: Wire): void {
      if (this.#isSet) super.handleCommandComplete(message, wire);
      else this.#isSet = true;
    }
  };
}
