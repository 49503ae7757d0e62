import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';

/** The rows of one event: state, inbox with the line of history, and its outbox row, which comes in a commit of its own before. */
const SCRIPT = `
\\set n random(1, 1000)
\\set m random(1, 2000000000)
INSERT INTO peer.outbox VALUES ('default', 'saga/counter', (:m)::text || '-' || (:client_id)::text || '-' || (:n)::text, repeat('x', 200));
WITH changed AS (
  UPDATE peer.instance SET version = version + 1, data = repeat('x', 60) WHERE id = 'c' || (:n)::text RETURNING id, version
), seen AS (
  INSERT INTO peer.inbox SELECT id, (:m)::text || '-' || version, 'applied', version, 'event' FROM changed
)
DELETE FROM peer.outbox WHERE id = (:m)::text || '-' || (:client_id)::text || '-' || (:n)::text;
`;

const TABLES = `
CREATE SCHEMA peer;
CREATE TABLE peer.instance (id text PRIMARY KEY, version int, data text) WITH (fillfactor = 50);
INSERT INTO peer.instance SELECT 'c' || n, 0, repeat('x', 60) FROM generate_series(1, 1000) n;
CREATE TABLE peer.inbox (id text, message text, outcome text, version int, kind text, PRIMARY KEY (id, message));
CREATE TABLE peer.outbox (tenant text, destination text, id text PRIMARY KEY, payload text);
`;

/** Seconds of each run. */
const SECONDS = 4;

/** Numbers of clients that it is tried with: more of them share a flush of the log, and share the processors too. */
const CLIENTS = [16, 32, 64];

/** Events per second of pgbench, with the number of clients that is best for it; a sentence if it can't be had. */
export async function runPgbench(url: string): Promise<number | string> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-pgbench-'));
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(TABLES);
    const script = join(folder, 'event.sql');
    await writeFile(script, SCRIPT);
    const found: number[] = [];
    for (const clients of CLIENTS) {
      const options = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(SECONDS)];
      const { stdout } = await promisify(execFile)('pgbench', [...options, '-f', script, url]);
      found.push(Number(/tps = ([\d.]+)/.exec(stdout)?.[1] ?? 0));
    }
    const best = Math.max(...found);
    return best > 0 ? best : 'its answer has no tps';
  } catch (error) {
    // Not the error's own message: it has the url, and with it the password.
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
    return `it can't be run here (Debian: postgresql-contrib): ${String(code)} ${stderr
      .trim()
      .split('\n')
      .find((line) => line.includes('ERROR'))}`;
  } finally {
    await client.end();
    await rm(folder, { recursive: true, force: true });
  }
}
