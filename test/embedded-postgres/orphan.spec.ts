import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../support/redis-server.js';
import {
  connect,
  outcomeOf,
  serverOf,
  start,
  startOwner,
  temporaryFolder,
  valueOf,
  type OwnerMessage,
} from './support.js';

it('a server whose owner was killed is stopped by the next start, and nothing committed is lost', async () => {
  const dataDir = temporaryFolder();
  // No outgoing connection gets it while the server is away.
  const port = await freePort();
  const owner = startOwner({ dataDir, port });
  const orphan = await serverOf(owner);
  await valueOf(orphan.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const { closed } = await connect(orphan.url);
  await owner.kill('SIGKILL');
  expect(await valueOf(orphan.url, 'SELECT 1')).toBe(1); // an orphan, alive

  const progress: string[] = [];
  const next = await start({ dataDir, port, onProgress: (line) => progress.push(line) });
  await closed;
  expect(next).toMatchObject({ stoppedOrphan: orphan.pid, port });
  expect(progress[0]).toContain(`stopped Postgres ${orphan.pid}`);
  expect(await valueOf(next.url, 'SELECT answer FROM kept')).toBe(42);
});

it('an orphan in the middle of a statement is stopped as well, and the statement is undone', async () => {
  const dataDir = temporaryFolder();
  const owner = startOwner({ dataDir });
  const { url } = await serverOf(owner);
  await valueOf(url, 'CREATE TABLE jobs AS SELECT 1 AS id');
  const { client } = await connect(url);
  await client.query('BEGIN; DELETE FROM jobs');
  const busy = expect(client.query('SELECT pg_sleep(600)')).rejects.toThrow();
  await owner.kill('SIGKILL');
  const next = await start({ dataDir });
  await busy;
  expect(await valueOf(next.url, 'SELECT count(*)::int FROM jobs')).toBe(1);
});

it('owner and server killed together are followed by a start that recovers', async () => {
  const dataDir = temporaryFolder();
  const owner = startOwner({ dataDir });
  const server = await serverOf(owner);
  await valueOf(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const { client, closed } = await connect(server.url);
  // A session that works without a pause doesn't notice that its server is gone.
  const busy = client.query('DO $$ BEGIN LOOP END LOOP; END $$').catch(() => undefined);
  process.kill(server.pid, 'SIGKILL');
  await owner.kill('SIGKILL');
  const next = await start({ dataDir });
  await Promise.all([busy, closed]);
  expect(await valueOf(next.url, 'SELECT answer FROM kept')).toBe(42);
});

it('a start that is killed while it makes the cluster leaves nothing in the way of the next', async () => {
  const dataDir = temporaryFolder();
  const owner = startOwner({ dataDir });
  expect(await owner.next<OwnerMessage>()).toMatchObject({
    progress: expect.stringContaining('initialising'),
  });
  await owner.kill('SIGKILL');
  const { url } = await start({ dataDir });
  expect(await valueOf(url, 'SELECT 1')).toBe(1);
  expect(readdirSync(dataDir).filter((name) => name.startsWith('cluster'))).toEqual(['cluster']);
});

it.each([
  ['of a process that has ended', (own: string) => own],
  ['whose number belongs to another program now', (own: string) => own.replace(/^\d+/, String(process.pid))],
  ['that is empty', () => ''],
])('a process file %s is no obstacle', async (_, change) => {
  const dataDir = temporaryFolder();
  const file = join(dataDir, 'cluster', 'postmaster.pid');
  const first = await start({ dataDir });
  const own = readFileSync(file, 'utf8');
  await first.stop();
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, change(own), { mode: 0o600 });
  const next = await start({ dataDir });
  expect(next.stoppedOrphan).toBeUndefined();
  expect(await valueOf(next.url, 'SELECT 1')).toBe(1);
});

it('of two starts at once one serves, and the other names it', async () => {
  const dataDir = temporaryFolder();
  const owners = [startOwner({ dataDir }), startOwner({ dataDir })];
  const outcomes = await Promise.all(owners.map(outcomeOf));
  const winner = outcomes.findIndex((outcome) => 'started' in outcome);
  expect(outcomes[winner]).toHaveProperty('started.url');
  expect(outcomes[1 - winner]).toMatchObject({
    failed: {
      code: 'EMBEDDED_POSTGRES_DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${owners[winner]?.pid}`),
    },
  });
});

it('of two starts that find an orphan at once, one serves', async () => {
  const dataDir = temporaryFolder();
  const first = startOwner({ dataDir });
  await serverOf(first);
  await first.kill('SIGKILL');
  const outcomes = await Promise.all([startOwner({ dataDir }), startOwner({ dataDir })].map(outcomeOf));
  expect(outcomes.map((outcome) => ('started' in outcome ? 'started' : outcome.failed.code)).sort()).toEqual([
    'EMBEDDED_POSTGRES_DATA_DIR_IN_USE',
    'started',
  ]);
});
