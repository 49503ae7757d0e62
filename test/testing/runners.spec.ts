import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/workspace.js';
import { doorSuite } from './runners/door.suite.js';

describe('under vitest', () => {
  doorSuite(it);
});

describe("under node's own runner", () => {
  function run(environment: Record<string, string>): {
    readonly status: number | null;
    readonly output: string;
  } {
    const file = join(root, 'test/testing/runners/node.test.mjs');
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...inherited } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
      cwd: root,
      encoding: 'utf8',
      env: { ...inherited, ...environment },
    });
    return { status, output: `${stdout}${stderr}` };
  }

  it('passes', () => {
    const { status, output } = run({});
    expect(output).toContain('a door shuts by itself, the second time');
    expect(output).toMatch(/# pass [23]\n/);
    expect(status).toBe(0);
  });

  it('says in plain words what a machine did instead', () => {
    const { status, output } = run({ WRONG: 'yes' });
    expect(output).toContain("Machine 'front' went shut → open; expected shut.");
    expect(output).toContain('front: shut → open on OPEN');
    expect(status).toBe(1);
  });
});
