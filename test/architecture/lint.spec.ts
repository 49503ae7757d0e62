import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');

/** One faulty file for each rule that the workspace relies on. */
const faults: [rule: string, file: string, source: string][] = [
  [
    'typescript(no-floating-promises)',
    'libs/nest/src/floating.ts',
    'const f = async () => 1;\nexport const g = () => { f(); };',
  ],
  [
    'typescript(no-misused-promises)',
    'libs/nest/src/misused.ts',
    'export const g = (f: () => Promise<number>) => (f() ? 1 : 2);',
  ],
  [
    'typescript(await-thenable)',
    'libs/nest/src/thenable.ts',
    'export const g = async (n: number) => { const m = await n; return m; };',
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'libs/nest/src/switch.ts',
    "export function g(s: 'a' | 'b') { switch (s) { case 'a': return 1; } return 2; }",
  ],
  [
    'typescript(no-explicit-any)',
    'libs/nest/src/any.ts',
    'export const g = (a: any) => typeof a === "string";',
  ],
  ['typescript(only-throw-error)', 'libs/nest/src/throw.ts', 'export const g = (s: string) => { throw s; };'],
  ['eslint(no-console)', 'libs/nest/src/console.ts', 'export const g = () => console.log(1);'],
  [
    'eslint(complexity)',
    'libs/nest/src/complexity.ts',
    `export const g = (n: number) => { ${'if (n > 1) n--;'.repeat(10)} return n; };`,
  ],
  ['eslint(max-lines)', 'libs/nest/src/long.ts', 'export const g = 1;\n'.padEnd(420, '\n')],
  ['import(no-cycle)', 'libs/nest/src/a.ts', "import { b } from './b.js';\nexport const a = () => b();"],
  [
    'import(no-cycle)',
    'libs/nest/src/b.ts',
    "import { a } from './a.js';\nexport const b = (): unknown => a;",
  ],
  ['import(no-default-export)', 'libs/nest/src/default.ts', 'export default 1;'],
  [
    'eslint(no-restricted-globals)',
    'libs/core/src/global.ts',
    'export const g = () => setTimeout(() => {}, 1);',
  ],
  [
    'eslint(no-restricted-globals)',
    'libs/statechart/src/global.ts',
    'export const g = () => globalThis.process;',
  ],
  ['eslint(no-restricted-properties)', 'libs/core/src/now.ts', 'export const g = () => Date.now();'],
  [
    'eslint(no-restricted-properties)',
    'libs/statechart/src/random.ts',
    'export const g = () => Math.random();',
  ],
  [
    'eslint(no-restricted-imports)',
    'libs/core/src/node.ts',
    "import { join } from 'node:path';\nexport const g = join;",
  ],
  [
    'eslint(no-restricted-imports)',
    'libs/core/src/framework.ts',
    "import { Module } from '@nestjs/common';\nexport const g = Module;",
  ],
  [
    'eslint(no-restricted-imports)',
    'libs/core/src/up.ts',
    "import { g } from '@nestjs-orchestrator/nest';\nexport const h = g;",
  ],
  [
    'eslint(no-restricted-imports)',
    'libs/statechart/src/up.ts',
    "import { g } from '@nestjs-orchestrator/core';\nexport const h = g;",
  ],
  [
    'vitest(no-focused-tests)',
    'libs/core/src/only.spec.ts',
    "import { expect, it } from 'vitest';\nit.only('runs', () => expect(1).toBe(1));",
  ],
  [
    'vitest(expect-expect)',
    'libs/core/src/idle.spec.ts',
    "import { it } from 'vitest';\nit('cannot fail', () => {});",
  ],
];

/** Files that are right, so that the rules are seen to let them pass. */
const sound: [file: string, source: string][] = [
  ['libs/nest/src/timer.ts', 'export const g = () => setTimeout(() => {}, 1);'],
  [
    'libs/core/src/engine.ts',
    "import { g } from '@nestjs-orchestrator/statechart';\nexport const h: unknown = g;",
  ],
];

interface Finding {
  code: string;
  filename: string;
}

describe('the lint configuration', () => {
  const dir = mkdtempSync(join(tmpdir(), 'orchestrator-lint-'));
  let findings: Finding[] = [];

  beforeAll(() => {
    const write = (file: string, source: string) => {
      mkdirSync(dirname(join(dir, file)), { recursive: true });
      writeFileSync(join(dir, file), source);
    };
    copyFileSync(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
    copyFileSync(join(root, 'tsconfig.base.json'), join(dir, 'tsconfig.base.json'));
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'junction');
    write('tsconfig.json', '{ "extends": "./tsconfig.base.json", "include": ["libs/*/src"] }');
    for (const [, file, source] of faults) write(file, source);
    for (const [file, source] of sound) write(file, source);
    const run = spawnSync(process.execPath, [oxlint, '--disable-nested-config', '-f', 'json', 'libs'], {
      cwd: dir,
      encoding: 'utf8',
    });
    findings = (JSON.parse(run.stdout) as { diagnostics: Finding[] }).diagnostics;
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it.each(faults)('%s is reported for %s', (rule, file) => {
    expect(findings.filter((f) => f.filename.endsWith(file)).map((f) => f.code)).toContain(rule);
  });

  it.each(sound)('nothing is reported for %s', (file) => {
    expect(findings.filter((f) => f.filename.endsWith(file))).toEqual([]);
  });
});
