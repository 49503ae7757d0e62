import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../support/workspace.js';

describe('.ci/run', () => {
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((dir) => rmSync(dir, { recursive: true })));

  /** Runs the script against a stand-in for npm: `cases` maps a part of its arguments to what it does. */
  function run(cases: Record<string, string>, ...args: string[]) {
    const dir = mkdtempSync(join(tmpdir(), 'orchestrator-ci-'));
    folders.push(dir);
    const arms = Object.entries(cases).map(([words, action]) => `  *'${words}'*) ${action} ;;`);
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'bin/npm'), ['#!/bin/sh', 'case "$*" in', ...arms, 'esac', ''].join('\n'));
    chmodSync(join(dir, 'bin/npm'), 0o755);
    cpSync(join(root, '.ci'), join(dir, '.ci'), { recursive: true });
    const { stdout, status } = spawnSync('bash', [join(dir, '.ci/run'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(dir, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    return { stdout, status, last: stdout.trimEnd().split('\n').at(-1) };
  }
  const sound = { test: 'echo "5 passed, 0 failed, 1 skipped"' };

  it('adds up the tests when all is well', () => {
    expect(run(sound)).toMatchObject({ last: expect.stringMatching(/^\d+ passed, 0 failed$/), status: 0 });
  });

  it.each(['lint', 'format:check', 'types', 'types:6', 'build'])(
    'fails when %s fails, and goes on',
    (step) => {
      const outcome = run({ [`--silent ${step}`]: 'exit 1', ...sound });
      expect(outcome).toMatchObject({ last: expect.stringMatching(/^\d+ passed, [12] failed$/), status: 1 });
      expect(outcome.stdout).toContain('ok      tests');
    },
  );

  it('fails with the failing tests', () => {
    const outcome = run({ test: 'echo "5 passed, 2 failed"; exit 1' });
    expect(outcome.last).toMatch(/passed, [1-9]\d* failed$/);
    expect(outcome.status).toBe(1);
  });

  it('names at its end what failed, however much of it there is', () => {
    const named =
      'for n in $(seq 50); do echo "FAILED a.spec.ts > $n"; echo "       why $n"; done; echo "1 passed, 50 failed"; exit 1';
    const outcome = run({ '--silent build': 'echo "main.ts: no such type"; exit 2', test: named });
    const end = outcome.stdout.trimEnd().split('\n').slice(-40).join('\n');
    expect(end).toContain('FAILED build\n       main.ts: no such type\n');
    expect(end).toContain('FAILED a.spec.ts > 3\n       why 3\n');
    expect(end).toContain('… and more, above');
    expect(outcome.last).toMatch(/passed, \d+ failed$/);
  });

  it.each([
    ['ends without its closing line', 'exit 0'],
    ['exits with an error though no test failed', 'echo "5 passed, 0 failed"; exit 1'],
  ])('fails when the test run %s', (_, action) => {
    expect(run({ test: action }).status).toBe(1);
  });

  it('stops when the installation fails', () => {
    const outcome = run({ ci: 'exit 1', ...sound });
    expect(outcome).toMatchObject({ last: '0 passed, 1 failed', status: 1 });
    expect(outcome.stdout).not.toContain('=== lint');
  });

  it('leaves the installation alone when asked to', () => {
    expect(run({ ci: 'exit 1', ...sound }, '--no-install').status).toBe(0);
  });
});
