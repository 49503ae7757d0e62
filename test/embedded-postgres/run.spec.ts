import { existsSync, mkdirSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { startProcess } from '../support/processes.js';
import { connect, temporaryFolder } from './support.js';

interface Run {
  readonly url: string;
  readonly folder: string;
}

/** Settles when the file system reports that the folder has gone from its parent. */
async function removalOf(folder: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (existsSync(folder)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(dirname(folder), look);
    look();
  });
}

it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
  'a test run ended by %s leaves no Postgres and no folder',
  async (signal) => {
    const run = startProcess(import.meta.url, './run.process.ts', {}, { TMPDIR: temporaryFolder() });
    const { url, folder } = await run.next<Run>();
    const { closed } = await connect(url);
    await run.kill(signal);
    await Promise.all([closed, removalOf(folder)]);
    await expect(connect(url)).rejects.toThrow(/ECONNREFUSED/);
  },
);

it('a test run that comes to its end has cleaned up before it goes on', async () => {
  const run = startProcess(import.meta.url, './run.process.ts', {}, { TMPDIR: temporaryFolder() });
  const { url, folder } = await run.next<Run>();
  run.send('close');
  expect(await run.ended).toBe(0);
  expect(existsSync(folder)).toBe(false);
  await expect(connect(url)).rejects.toThrow(/ECONNREFUSED/);
});

it('a test run removes the folders of runs that are dead, and no other', async () => {
  const temporary = temporaryFolder();
  const dead = startProcess(import.meta.url, './run.process.ts', {}, { TMPDIR: temporary });
  const { folder } = await dead.next<Run>();
  await dead.kill('SIGKILL');
  await removalOf(folder);
  // As if its watchdog had been killed with it.
  mkdirSync(join(folder, 'cluster'), { recursive: true });
  const alive = join(temporary, basename(folder).replace(String(dead.pid), String(process.pid)));
  mkdirSync(alive);
  await startProcess(import.meta.url, './run.process.ts', {}, { TMPDIR: temporary }).next<Run>();
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(alive)).toBe(true);
});
