import { StoreDataSourceError } from './errors.js';

/** Options of {@link typeormStore}. */
export interface TypeormStoreOptions {
  /** Database schema that holds the store's tables; default `orchestrator`. */
  readonly schema?: string;
  /**
   * What `start()` does about the tables: `run` (default) brings them up to date, `check` only looks whether they are, for
   * deployments that call {@link migrate} themselves.
   */
  readonly migrations?: 'run' | 'check';
}

/** The schema that is used where none is named. */
export const DEFAULT_SCHEMA = 'orchestrator';

/** Postgres cuts longer names, so that two of them could be the same. */
const LONGEST_NAME = 63;

/** The schema's name; throws for what Postgres would not take. */
export function schemaName(options: Pick<TypeormStoreOptions, 'schema'>): string {
  const schema = options.schema ?? DEFAULT_SCHEMA;
  const fits = schema !== '' && Buffer.byteLength(schema) <= LONGEST_NAME && !schema.includes('\0');
  if (fits) return schema;
  throw new StoreDataSourceError(
    `The schema name '${schema}' is no name that Postgres takes: give 1 to ${LONGEST_NAME} bytes.`,
  );
}
