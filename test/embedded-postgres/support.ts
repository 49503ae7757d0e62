import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '@nestjs-orchestrator/embedded-postgres';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { removeWithServer, START_TIMEOUT_MS } from '../support/postgres.run.js';
import { startProcess, type TestProcess } from '../support/processes.js';

const OPTIONS = { durable: false, startTimeoutMs: START_TIMEOUT_MS };

/** What an owner process tells. */
export type OwnerMessage =
  | { readonly progress: string }
  | { readonly started: Pick<EmbeddedPostgres, 'url' | 'port' | 'pid' | 'stoppedOrphan'> }
  | { readonly failed: { readonly code: string; readonly message: string } };

/** A folder that goes away with the test. Others may enter it, as the fallback for root needs. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-postgres-spec-'));
  chmodSync(folder, 0o755);
  // A process that is killed at the end of its test leaves its server behind.
  onTestFinished(() => removeWithServer(folder));
  return folder;
}

/** A server of this process that is stopped with the test. */
export async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ ...OPTIONS, ...options });
  onTestFinished(() => server.stop());
  return server;
}

/** The error of a start that has to fail. */
export async function failureOf(options: EmbeddedPostgresOptions): Promise<unknown> {
  return start(options).then(
    () => {
      throw new Error('This start should have failed.');
    },
    (error: unknown) => error,
  );
}

/** A process that starts a server on the folder. */
export function startOwner(
  options: EmbeddedPostgresOptions,
  environment?: Readonly<Record<string, string>>,
): TestProcess {
  return startProcess(import.meta.url, './owner.process.ts', { ...OPTIONS, ...options }, environment);
}

/** How the start of an owner ended, its progress left out. */
export async function outcomeOf(owner: TestProcess): Promise<Exclude<OwnerMessage, { progress: string }>> {
  for (;;) {
    const message = await owner.next<OwnerMessage>();
    if (!('progress' in message)) return message;
  }
}

/** The server of an owner whose start has to succeed. */
export async function serverOf(owner: TestProcess): Promise<Pick<EmbeddedPostgres, 'url' | 'port' | 'pid'>> {
  const message = await outcomeOf(owner);
  if ('failed' in message) throw new Error(message.failed.message);
  return message.started;
}

/** Opens a session. `closed` settles when the server ends it. */
export async function connect(
  url: string,
): Promise<{ readonly client: Client; readonly closed: Promise<void> }> {
  const client = new Client({ connectionString: url });
  const closed = new Promise<void>((resolve) => client.once('end', () => resolve()));
  client.on('error', () => undefined);
  await client.connect();
  return { client, closed };
}

/** Runs one statement in a session of its own and gives the first column of its first row. */
export async function valueOf(url: string, sql: string): Promise<unknown> {
  const { client } = await connect(url);
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}
