import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/workspace.js';
import { doorSuite } from './runners/door.suite.js';

interface Run {
  /** The exit code. */
  readonly status: unknown;
  readonly output: string;
}

/** Runs a program of Node's as if nobody had started it from a test. */
async function run(args: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|JEST)/.test(name));
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [unknown];
  return { status, output };
}

describe('under vitest', () => {
  doorSuite(it);
});

describe.each([
  [
    "node's own runner",
    ['--test', '--test-reporter=tap', join('test', 'testing', 'runners', 'node.test.mjs')],
  ],
  [
    'jest with ES modules',
    [
      '--experimental-vm-modules',
      '--no-warnings',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      '--config',
      join('test', 'testing', 'runners', 'jest', 'jest.config.mjs'),
    ],
  ],
])('under %s', (_runner, args) => {
  it('passes', async () => {
    const { status, output } = await run(args);
    expect(output).toContain('a door shuts by itself, the first time');
    expect(output).toContain('a door shuts by itself, the second time');
    expect(status).toBe(0);
  });

  it('says in plain words what a machine did instead', async () => {
    const { status, output } = await run(args, { WRONG: 'yes' });
    expect(output).toContain("Machine 'front' went shut → open; expected shut.");
    expect(output).toContain('front: shut → open on OPEN');
    expect(status).toBe(1);
  });
});
