import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { prepareTemplate, dropDatabases, type ProvidedPostgres } from './database.js';
import { startRunPostgres } from './postgres.run.js';

/** Gives every spec of the run one Postgres, and one template database to clone. Never skips: it serves or fails. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env['POSTGRES_URL'];
  const server =
    external === undefined || external === ''
      ? await startRunPostgres().catch(
          failed('The tests need a Postgres, and none could be started.', FIX_EMBEDDED),
        )
      : { url: external, close: () => dropDatabases(provided) };
  const provided: ProvidedPostgres = {
    adminUrl: server.url,
    prefix: `orch_test_${randomBytes(6).toString('hex')}`,
  };
  try {
    await prepareTemplate(provided).catch(
      failed(
        'The Postgres of the tests does not answer, or this user may not create databases in it.',
        FIX_EXTERNAL,
      ),
    );
  } catch (error) {
    if (external === undefined) await server.close();
    throw error;
  }
  project.provide('postgres', provided);
  return () => server.close();
}

const FIX_EMBEDDED = 'npm install --include=optional && npm test';
const FIX_EXTERNAL = 'env -u POSTGRES_URL npm test';

function failed(what: string, command: string): (cause: unknown) => never {
  return (cause) => {
    const why =
      cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause);
    throw new Error(
      `${what}\n  ${why}\nTo fix it: ${command}\nOr name a running one: POSTGRES_URL=postgres://… npm test`,
      { cause },
    );
  };
}
