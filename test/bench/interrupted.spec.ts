import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

it('a benchmark of transports ends when its terminal tells all of its processes to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-interrupted-'));
  const run = spawn(
    process.execPath,
    [
      ...['scripts/run-typescript.mjs', 'bench/run.ts', 'transports', '--parts=grid'],
      ...['--only=orchestrator/named-pipe', '--receivers=2', '--sizes=100', '--rounds=1000'],
    ],
    // A group of its own, as a terminal gives it.
    {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: folder },
    },
  );
  const ended = once(run, 'exit');
  onTestFinished(() => {
    if (run.exitCode === null) process.kill(-(run.pid as number), 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const measured = new Promise<void>((resolve) => {
    createInterface(run.stderr).on('line', (line) => line.includes('events/s') && resolve());
  });
  await Promise.race([measured, ended]);
  process.kill(-(run.pid as number), 'SIGTERM');
  expect(await ended).toEqual([143, null]);
  expect(readdirSync(folder)).toEqual([]);
});
