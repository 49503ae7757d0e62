import type { Command } from 'commander';
import { CommandError } from '../errors.js';
import type { Surroundings } from '../surroundings.js';

/** How a command is told its store. */
export interface StoreFlags {
  readonly postgres?: string;
  readonly schema?: string;
  readonly redis?: string;
  readonly prefix?: string;
}

/** Which store is meant. */
export type StoreAddress =
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string | undefined }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string | undefined };

/** Adds the options by which a command is told its store. */
export function storeOptions(command: Command): Command {
  return command
    .option('--postgres <url>', 'the store is in this Postgres (default: POSTGRES_URL)')
    .option('--schema <name>', 'database schema of the store’s tables (default: orchestrator)')
    .option('--redis <url>', 'the store is in this Redis (default: REDIS_URL)')
    .option('--prefix <prefix>', 'begins the store’s keys in Redis (default: orchestrator)');
}

/**
 * The store that is meant: by an option, or by the environment where no option says.
 *
 * @throws CommandError for none, or two
 */
export function storeAddress(flags: StoreFlags, { env }: Pick<Surroundings, 'env'>): StoreAddress {
  const told = flags.postgres !== undefined || flags.redis !== undefined;
  const postgres = told ? flags.postgres : env['POSTGRES_URL'];
  const redis = told ? flags.redis : env['REDIS_URL'];
  if (postgres !== undefined && redis !== undefined)
    throw new CommandError(
      'There are two stores, in Postgres and in Redis: name one, by --postgres or --redis.',
    );
  if (postgres !== undefined) return { kind: 'postgres', url: postgres, schema: flags.schema };
  if (redis !== undefined) return { kind: 'redis', url: redis, prefix: flags.prefix };
  throw new CommandError(
    'Say where the store is: --postgres URL or --redis URL, or POSTGRES_URL or REDIS_URL.',
  );
}
