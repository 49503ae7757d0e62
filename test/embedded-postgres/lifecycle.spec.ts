import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect, serverOf, start, startOwner, temporaryFolder, valueOf } from './support.js';

it('the first start makes a cluster, says so, and serves a UTF-8 database', async () => {
  const dataDir = join(temporaryFolder(), 'not', 'there', 'yet');
  const progress: string[] = [];
  const { url, port } = await start({ dataDir, onProgress: (line) => progress.push(line) });
  expect(progress[0]).toBe(`initialising the database cluster in ${dataDir} …`);
  expect(new URL(url).port).toBe(String(port));
  expect(await valueOf(url, "SELECT current_database() || ' ' || upper('æé')")).toBe('app ÆÉ');
});

it('a restart keeps the data, on another port', async () => {
  const dataDir = temporaryFolder();
  const first = await start({ dataDir });
  await valueOf(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  const second = await start({ dataDir });
  expect(await valueOf(second.url, 'SELECT answer FROM kept')).toBe(42);
  expect(second.stoppedOrphan).toBeUndefined();
});

it('stop ends the sessions and the server, and may be called again', async () => {
  const server = await start({ dataDir: temporaryFolder() });
  const { closed } = await connect(server.url);
  await Promise.all([server.stop(), server.stop()]);
  await closed;
  await server.stop();
  await expect(connect(server.url)).rejects.toThrow(/ECONNREFUSED/);
});

it('nobody enters without the random password, which only this user can read', async () => {
  const dataDir = temporaryFolder();
  const { url } = await start({ dataDir });
  const guess = new URL(url);
  guess.password = 'postgres';
  await expect(connect(guess.href)).rejects.toMatchObject({ code: '28P01' });
  const file = join(dataDir, 'credentials.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ password: new URL(url).password });
  expect(await valueOf(url, 'SHOW listen_addresses')).toBe('127.0.0.1');
});

it('role, password and database may be chosen, and chosen anew at a later start', async () => {
  const dataDir = temporaryFolder();
  const odd = { user: `o'dd "role"`, password: `p'a"s\\s w%rd/é`, database: 'Shop & "more"' };
  const first = await start({ dataDir, ...odd });
  expect(await valueOf(first.url, "SELECT current_user || '|' || current_database()")).toBe(
    `${odd.user}|${odd.database}`,
  );
  await first.stop();
  const second = await start({ dataDir, ...odd, password: 'plain' });
  expect(new URL(second.url).password).toBe('plain');
  expect(await valueOf(second.url, 'SELECT 1')).toBe(1);
});

it('settings reach the server; data is durable unless told otherwise', async () => {
  const dataDir = temporaryFolder();
  const safe = await start({ dataDir, durable: true, settings: { max_connections: '7' } });
  expect(
    await valueOf(
      safe.url,
      "SELECT concat_ws(' ', current_setting('fsync'), current_setting('max_connections'))",
    ),
  ).toBe('on 7');
  await safe.stop();
  const quick = await start({ dataDir, durable: false });
  expect(await valueOf(quick.url, 'SHOW fsync')).toBe('off');
});

it('a server alone does not keep its application running, and stops with it when asked to', async () => {
  const owner = startOwner({ dataDir: temporaryFolder(), stopOnExit: true });
  const { url } = await serverOf(owner);
  const { closed } = await connect(url);
  owner.send('exit');
  expect(await owner.ended).toBe(0);
  await closed;
});
