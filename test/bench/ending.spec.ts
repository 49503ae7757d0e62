import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { forkTypeScript, startProcess } from '../support/processes.js';

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

it('a process of the benchmark leaves its end to the run, though its terminal tells it to end as well', async () => {
  const order = {
    face: 'ipc',
    carrier: 'child_process',
    index: 0,
    addresses: {},
    folder: '',
    scope: '',
    ports: [],
  };
  const peer = forkTypeScript(import.meta.url, '../../bench/transports/peer.process.ts', order);
  onTestFinished(() => void peer.kill('SIGKILL'));
  const ended = once(peer, 'exit');
  expect((await once(peer, 'message'))[0]).toEqual({ ready: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) peer.kill(signal);
  const question = { number: 1, text: '' };
  peer.send({ question });
  const [answer] = (await Promise.race([once(peer, 'message'), ended])) as unknown[];
  expect(answer).toEqual({ answer: question });
  peer.disconnect();
  expect(await ended).toEqual([0, null]);
});
