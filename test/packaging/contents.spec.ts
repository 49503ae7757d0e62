import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { libs, type Manifest, root } from '../support/workspace.js';
import { contentFaults } from './contents.js';

const manifest: Manifest = {
  name: 'lib',
  version: '1.0.0',
  exports: {
    '.': {
      types: './dist/index.d.ts',
      default: './dist/index.js',
      '@nestjs-orchestrator/source': './src/index.ts',
    },
    './package.json': './package.json',
  },
};
const sound = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'];

describe('the check of a tarball', () => {
  it('accepts the built files, the manifest, the licence and the readme', () => {
    expect(contentFaults(manifest, [...sound, 'dist/a/b.js.map'])).toEqual([]);
  });

  it.each([
    ['a spec', [...sound, 'dist/a.spec.js'], 'holds dist/a.spec.js'],
    ['a source', [...sound, 'src/index.ts'], 'holds src/index.ts'],
    ['a build record', [...sound, 'dist/.tsbuildinfo'], 'holds dist/.tsbuildinfo'],
    ['no licence', sound.filter((file) => file !== 'LICENSE'), 'lacks LICENSE'],
    [
      'no types for a door',
      sound.filter((file) => !file.endsWith('.d.ts')),
      'lacks ./dist/index.d.ts, which a door opens',
    ],
  ])('refuses one that holds %s', (_, files, fault) => {
    expect(contentFaults(manifest, files)).toEqual([fault]);
  });
});

it.each(libs.map((lib) => lib.path))('%s carries the licence of the workspace', (path) => {
  expect(readFileSync(join(root, path, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
});
