import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { closingLine } from '../../scripts/plain-reporter.js';
import { root } from '../support/workspace.js';

const config = `
import { PlainReporter } from ${JSON.stringify(join(root, 'scripts/plain-reporter.ts'))};
export default { test: { reporters: ['default', new PlainReporter()], testTimeout: 300_000, hookTimeout: 300_000 } };
`;

describe('the last line of a test run', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((dir) => rmSync(dir, { recursive: true })));

  function run(specs: Record<string, string>) {
    const dir = mkdtempSync(join(tmpdir(), 'orchestrator-reporter-'));
    folders.push(dir);
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'junction');
    writeFileSync(join(dir, 'vitest.config.mjs'), config);
    for (const [name, text] of Object.entries(specs)) {
      writeFileSync(join(dir, name), `import { expect, it } from 'vitest';\n${text}`);
    }
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', dir];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const lines = stdout.trimEnd().split('\n');
    return { last: lines.at(-1), status, before: lines.slice(-9, -1) };
  }

  it('counts what passed, failed and was skipped', () => {
    const outcome = run({
      'a.spec.ts': `it('a', () => expect(1).toBe(1));\nit('b', () => expect(1).toBe(2));\nit.skip('c', () => {});`,
      'b.spec.ts': `it('d', () => expect(1).toBe(1));`,
    });
    expect(outcome).toMatchObject({ last: '2 passed, 1 failed, 1 skipped', status: 1 });
  });

  it('counts a file that cannot be loaded and an error outside of any test', () => {
    const outcome = run({
      'a.spec.ts': `import './absent.js';\nit('a', () => expect(1).toBe(1));`,
      'b.spec.ts': `it('b', () => { void Promise.reject(new Error('nobody waits')); expect(1).toBe(1); });`,
    });
    expect(outcome).toMatchObject({ last: '1 passed, 2 failed', status: 1 });
    expect(outcome.before.slice(-2)).toEqual(['FAILED outside of any test', '       nobody waits']);
    expect(outcome.before).toContain('FAILED a.spec.ts');
  });

  it('has before it what failed, each with the first line of what it threw', () => {
    const outcome = run({
      'a.spec.ts': [
        `import { describe } from 'vitest';`,
        `describe('sums', () => it('add up', () => expect([1]).toEqual([2])));`,
      ].join('\n'),
      'b.spec.ts': `import { describe, beforeAll } from 'vitest';
        describe('hooks', () => { beforeAll(() => { throw new Error('no server'); }); it('y', () => {}); });
        it('z', () => { throw new Error('bad'); });`,
    });
    expect(outcome.before.slice(-6)).toEqual([
      'FAILED a.spec.ts > sums > add up',
      '       expected [ 1 ] to deeply equal [ 2 ]',
      'FAILED b.spec.ts > hooks',
      '       no server',
      'FAILED b.spec.ts > z',
      '       bad',
    ]);
  });

  it('says nothing failed when nothing did', () => {
    expect(run({ 'a.spec.ts': `it('a', () => expect(1).toBe(1));` })).toMatchObject({
      last: '1 passed, 0 failed',
      status: 0,
    });
  });

  it('never says zero failures of a run that exits with an error', () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 }, 1)).toBe('3 passed, 1 failed');
  });
});
