import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

/** What the set-up of the run hands to the specs. */
export interface ProvidedPostgres {
  /** Of a user who may create databases. */
  readonly adminUrl: string;
  /** Begins the name of every database of this run. */
  readonly prefix: string;
}

declare module 'vitest' {
  // Widened by merging, so it has to be an interface.
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}

/** A database that belongs to one test or one file alone. */
export interface TestDatabase {
  /** Connection url, of a superuser. */
  readonly url: string;
  readonly name: string;
  /** Ends all sessions in it and removes it. What is left at the end of the run goes away as well. */
  drop(): Promise<void>;
}

/** Clones the template of the run, in about 0.1 s. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, prefix } = inject('postgres');
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await asAdmin(adminUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template(prefix)}`));
  return {
    name,
    url: withDatabase(adminUrl, name),
    drop: () => asAdmin(adminUrl, (client) => dropDatabase(client, name)),
  };
}

/** Makes the database that all others are cloned from. What every test needs in its database is put here, once. */
export async function prepareTemplate({ adminUrl, prefix }: ProvidedPostgres): Promise<void> {
  await asAdmin(adminUrl, (client) => client.query(`CREATE DATABASE ${template(prefix)} TEMPLATE template0`));
}

/** Removes every database of the run. */
export async function dropDatabases({ adminUrl, prefix }: ProvidedPostgres): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    );
    for (const { datname } of rows) await dropDatabase(client, datname);
  });
}

/** How long a session may take to end when it is told to. By itself "WITH (FORCE)" fails after 5 s, which are soon over on a busy machine. */
const LONGEST_END_MS = 240_000;

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(
    'SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user',
    [name, LONGEST_END_MS],
  );
  await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function asAdmin(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function template(prefix: string): string {
  return `${prefix}_template`;
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
