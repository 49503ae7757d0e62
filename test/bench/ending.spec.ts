import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../support/processes.js';

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a benchmark that gets %s stops its server and removes its files', async (signal, code) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-ending-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = startProcess(import.meta.url, './server.process.ts', null, { TMPDIR: folder });
  const url = await run.next<string>();
  const client = new Client(url);
  await client.connect();
  const closed = new Promise((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  await run.kill(signal);
  expect(await run.ended).toBe(code);
  await closed;
  await expect(new Client(url).connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(readdirSync(folder)).toEqual([]);
});
