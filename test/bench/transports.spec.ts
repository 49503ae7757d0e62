import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

it('the grid of transports prints one object for each figure, and tells its progress apart from them', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [
      'scripts/run-typescript.mjs',
      'bench/run.ts',
      'transports',
      '--json',
      '--parts=grid',
      '--only=tcp,message-port/worker thread',
      '--receivers=2',
      '--sizes=100',
      '--rounds=2',
      '--grid-milliseconds=1',
    ],
    { cwd: ROOT },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const [tcp, port] = ['Nest tcp (not acknowledged)', 'message-port to a worker thread (not acknowledged)'];
  expect(lines.map(({ name, unit }) => [name, unit])).toEqual([
    [`${tcp}: events of 100 B to 2 receivers`, 'events/s'],
    [`${tcp}: round trip of 100 B to 2 receivers, p50`, 'µs'],
    [`${port}: events of 100 B to 2 receivers`, 'events/s'],
    [`${port}: round trip of 100 B to 2 receivers, p50`, 'µs'],
  ]);
  for (const line of lines) {
    expect(Object.keys(line)).toEqual(['name', 'ours', 'peer', 'peerName', 'ratio', 'unit']);
    expect(line).toMatchObject({ ours: expect.any(Number), peer: expect.any(Number), peerName: 'Nest tcp' });
  }
  // Wires take turns.
  expect([...stderr.matchAll(/round \d of 2: .*/g)].map(([text]) => text)).toEqual([
    'round 1 of 2: Nest tcp',
    'round 1 of 2: message-port to a worker thread',
    'round 2 of 2: Nest tcp',
    'round 2 of 2: message-port to a worker thread',
  ]);
});
