import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initFailed } from './cluster.js';
import { systemCode } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { runProgram, type Installation } from './programs.js';

/** What a client needs to enter, as the cluster knows it. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/**
 * Sees to it that the role, its password and the database exist, while no server runs. What the cluster was last told
 * stands in a file that only this user can read; when that is still right there is nothing to do.
 */
export async function provision(at: Installation, wanted: ResolvedOptions): Promise<Credentials> {
  const known = readCredentials(at.dataDir);
  const { user, database } = wanted;
  const password = wanted.password ?? known?.password ?? randomBytes(24).toString('base64url');
  if (known?.user === user && known.password === password && known.database === database) return known;
  const credentials = { user, password, database };
  const { output } = await runProgram(at, at.binaries.postgres, singleUser(at), statements(credentials));
  const problem = output
    .split('\n')
    .find((line) => /(ERROR|FATAL|PANIC):/.test(line) && !line.endsWith('already exists'));
  if (problem !== undefined)
    throw initFailed(at.dataDir, 'the user and the database could not be made', problem);
  writeCredentials(at.dataDir, credentials);
  return credentials;
}

/** The statements, one a line as single-user mode reads them. What exists already is an error that we expect. */
export function statements({ user, password, database }: Credentials): string {
  return [
    `CREATE ROLE ${identifier(user)}`,
    `ALTER ROLE ${identifier(user)} SUPERUSER LOGIN PASSWORD ${literal(password)}`,
    `CREATE DATABASE ${identifier(database)} OWNER ${identifier(user)}`,
    '',
  ].join('\n');
}

/** Postgres on its standard input alone: nothing listens, so no password is needed to set one. */
function singleUser(at: Installation): string[] {
  // A failed statement isn't logged: it may hold the password.
  return ['--single', '-D', at.cluster, '-c', 'log_min_error_statement=panic', 'postgres'];
}

function readCredentials(dataDir: string): Credentials | undefined {
  try {
    return JSON.parse(readFileSync(file(dataDir), 'utf8')) as Credentials;
  } catch (error) {
    // Lost or cut short: a new password is set in its place.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeCredentials(dataDir: string, credentials: Credentials): void {
  const draft = `${file(dataDir)}.draft`;
  writeFileSync(draft, JSON.stringify(credentials, null, 2), { mode: 0o600 });
  renameSync(draft, file(dataDir));
}

function file(dataDir: string): string {
  return join(dataDir, 'credentials.json');
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  // The E form reads a backslash the same way whatever standard_conforming_strings says.
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
