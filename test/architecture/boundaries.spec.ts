import { describe, expect, it } from 'vitest';
import { apps, libs, type Package, readJson, rootManifest, sourcesOf } from '../support/workspace.js';
import { fileFaults, type House, manifestFaults } from './boundaries.js';
import { unexplainedExceptions } from './syntax.js';

const house: House = {
  packages: [...libs, ...apps],
  tools: new Set(Object.keys(rootManifest.devDependencies ?? {})),
};

describe.each(house.packages.map((pkg) => [pkg.path, pkg] as const))('%s', (_, pkg) => {
  it('imports only what it may', () => {
    expect(sourcesOf(pkg).flatMap((file) => fileFaults(house, pkg, file))).toEqual([]);
  });

  it('gives a reason for each exception from a lint rule', () => {
    expect(sourcesOf(pkg).flatMap((file) => unexplainedExceptions(file.text))).toEqual([]);
  });
});

describe.each(libs.map((pkg) => [pkg.path, pkg] as const))('%s', (_, pkg) => {
  it('declares only the packages the arrows allow, in exact versions', () => {
    expect(manifestFaults(pkg, rootManifest.version)).toEqual([]);
  });

  it('is part of the build', () => {
    const { references } = readJson<{ references: { path: string }[] }>('tsconfig.build.json');
    expect(references).toContainEqual({ path: pkg.path });
  });
});

describe('a fault is seen', () => {
  const door = (file: string) => ({
    types: `./dist/${file}.d.ts`,
    default: `./dist/${file}.js`,
    '@nestjs-orchestrator/source': `./src/${file}.ts`,
  });
  const lib = (name: string, manifest: Partial<Package['manifest']> = {}): Package => ({
    name,
    path: `libs/${name}`,
    manifest: {
      name: `@nestjs-orchestrator/${name}`,
      version: '1.0.0',
      exports: { '.': door('index') },
      ...manifest,
    },
  });
  const peers = { '@nestjs-orchestrator/core': '1.0.0' };
  const statechart = lib('statechart');
  const core = lib('core', {
    exports: { '.': door('index'), './internal': door('internal/index') },
    dependencies: { '@nestjs-orchestrator/statechart': '1.0.0' },
  });
  const redis = lib('redis', { peerDependencies: { ...peers, ioredis: '^6.0.0' } });
  const typeorm = lib('typeorm', { peerDependencies: peers });
  const nest = lib('nest', { peerDependencies: peers });
  const testing = lib('testing', { peerDependencies: { ...peers, '@nestjs-orchestrator/nest': '1.0.0' } });
  const sample: Package = {
    name: 'sample',
    path: 'apps/sample',
    manifest: { name: 'sample', version: '1.0.0', dependencies: peers },
  };
  const small: House = {
    packages: [statechart, core, redis, typeorm, nest, testing, sample],
    tools: new Set(['vitest']),
  };
  const scope = '@nestjs-orchestrator';
  const named = (name: string) => small.packages.find((pkg) => pkg.name === name) ?? statechart;

  it.each<[lib: string, path: string, text: string, fault: string]>([
    ['statechart', 'a.ts', "import { x } from 'node:path';", 'not for a pure lib'],
    ['statechart', 'a.ts', `import type { X } from '${scope}/core';`, 'out of reach for statechart'],
    ['core', 'a.ts', "import { x } from 'node:crypto';", 'not for a pure lib'],
    ['core', 'a.ts', "import type { Module } from '@nestjs/common';", 'not declared'],
    ['core', 'a.ts', "export { x } from 'pg';", 'not declared'],
    ['core', 'a.ts', `export const x = import('${scope}/nest');`, 'out of reach for core'],
    ['core', 'a.ts', "export type X = import('typeorm').DataSource;", 'not declared'],
    ['core', 'a.ts', `import { x } from '${scope}/core';`, 'its own package'],
    ['core', 'a.ts', "import { x } from '../../statechart/src/index.js';", 'leaves its own src'],
    ['core', 'a.ts', 'export const now = () => new Date();', 'wall clock'],
    ['core', 'a.ts', 'export const x = await Promise.resolve(1);', 'awaits at top level'],
    ['core', 'resilience/a.ts', "import { x } from '../bus/index.js';", 'stands alone'],
    ['core', 'resilience/a.ts', "import { x } from '../ports/instance-store.js';", 'stands alone'],
    ['core', 'resilience/a.ts', `import { x } from '${scope}/statechart';`, 'out of reach'],
    ['redis', 'a.ts', `import { x } from '${scope}/typeorm';`, 'out of reach for redis'],
    ['redis', 'a.ts', `import { x } from '${scope}/statechart';`, 'out of reach for redis'],
    ['redis', 'a.ts', `import { x } from '${scope}/core/src/bus.js';`, 'no door'],
    ['redis', 'a.ts', `import { x } from '${scope}/unheard';`, 'no package of this workspace'],
    ['redis', 'a.spec.ts', `import { x } from '${scope}/testing';`, 'out of reach for redis'],
    ['redis', 'a.spec.ts', "import { x } from 'xstate';", 'not declared'],
    ['nest', 'a.ts', `import { x } from '${scope}/typeorm';`, 'out of reach for nest'],
    ['testing', 'a.ts', `import { x } from '${scope}/nest';`, 'out of reach for testing'],
    ['sample', 'a.ts', "import { x } from '../../../libs/core/src/index.js';", 'leaves its own src'],
    ['sample', 'a.ts', `import { x } from '${scope}/core/dist/index.js';`, 'no door'],
    ['sample', 'a.ts', `import { x } from '${scope}/core/internal';`, 'for our own libs'],
    ['sample', 'a.ts', `import { x } from '${scope}/redis';`, 'not declared'],
  ])('%s, %s: %s', (name, path, text, fault) => {
    expect(fileFaults(small, named(name), { path, text })).toEqual([expect.stringContaining(fault)]);
  });

  it.each<[lib: string, path: string, text: string]>([
    ['core', 'a.ts', `import { x } from '${scope}/statechart';\nimport { y } from './b/c.js';`],
    ['core', 'a.ts', 'export const at = (ms: number) => new Date(ms);'],
    ['core', 'a.spec.ts', "import { it } from 'vitest';\nimport { join } from 'node:path';"],
    ['core', 'resilience/a.ts', "import { x } from './b.js';"],
    ['redis', 'a.ts', `import { Redis } from 'ioredis';\nimport { x } from '${scope}/core/internal';`],
    ['redis', 'a.ts', "import { join } from 'node:path';"],
    ['testing', 'nest/a.ts', `import { x } from '${scope}/nest';`],
    ['sample', 'a.ts', `import { x } from '${scope}/core';`],
  ])('not where there is none: %s, %s: %s', (name, path, text) => {
    expect(fileFaults(small, named(name), { path, text })).toEqual([]);
  });

  it.each<[fault: string, Package]>([
    ['must not depend on', lib('redis', { peerDependencies: { ...peers, [`${scope}/typeorm`]: '1.0.0' } })],
    ['not exactly', lib('redis', { peerDependencies: { [`${scope}/core`]: '^1.0.0' } })],
    ['not as a peer', lib('redis', { dependencies: peers })],
    ['must not depend on', lib('statechart', { dependencies: peers })],
    ['is pure and must not', lib('core', { dependencies: { pg: '8.0.0' } })],
    ['is pure and must not', lib('statechart', { dependencies: { '@noble/hashes': '2.0.0' } })],
    ['is version 0.9.0', lib('redis', { version: '0.9.0' })],
  ])('in a manifest that %s', (fault, pkg) => {
    expect(manifestFaults(pkg, '1.0.0')).toContainEqual(expect.stringContaining(fault));
  });

  it('in an exception without a reason', () => {
    expect(unexplainedExceptions('// oxlint-disable-next-line complexity\n')).toHaveLength(1);
    expect(unexplainedExceptions('// oxlint-disable-next-line complexity -- one case per kind\n')).toEqual(
      [],
    );
  });
});
