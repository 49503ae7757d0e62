import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Package, root, rootManifest } from '../support/workspace.js';

export interface Tarball {
  name: string;
  filename: string;
  files: { path: string }[];
}

/** Runs a program to its end; a failure carries all that it said. */
export function run(cwd: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`, {
      cause: error,
    });
  }
  return stdout;
}

/** Packs the libs into `dir`, as `npm publish` would. */
export function pack(libs: readonly Package[], dir: string): Tarball[] {
  const chosen = libs.flatMap((lib) => ['-w', lib.manifest.name]);
  return JSON.parse(run(root, 'npm', ['pack', '--json', '--pack-destination', dir, ...chosen])) as Tarball[];
}

function versions(...names: string[]): Record<string, string> {
  const all = rootManifest.devDependencies ?? {};
  return Object.fromEntries(names.map((name) => [name, all[name] ?? '*']));
}

/** What a Nest application has besides us. */
const application = versions(
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/cqrs',
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/testing',
  '@opentelemetry/api',
  '@types/node',
  'ioredis',
  'pg',
  'reflect-metadata',
  'rxjs',
  'typeorm',
  'zod',
);

const compilerOptions = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  types: ['node'],
  outDir: 'out',
  rootDir: '.',
};

export type Format = 'module' | 'commonjs';

/** An application outside of the workspace, with the tarballs installed; both formats share one installation. */
export class Project {
  constructor(readonly dir: string) {}

  install(tarballs: readonly Tarball[]): void {
    const own = Object.fromEntries(tarballs.map((tarball) => [tarball.name, `file:${tarball.filename}`]));
    this.#json('package.json', {
      name: 'consumer',
      private: true,
      dependencies: { ...application, ...own },
      // TypeORM names an older one as the optional client of its cache.
      overrides: { typeorm: { ioredis: '$ioredis' } },
    });
    // The platform binaries of the embedded database are large, and no import needs them.
    run(this.dir, 'npm', [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--omit=optional',
      '--ignore-scripts',
    ]);
  }

  /** Writes a TypeScript application of the given format and compiles it as its user would; returns its folder. */
  compile(name: string, format: Format, sources: Record<string, string>): string {
    const dir = join(this.dir, name);
    mkdirSync(dir, { recursive: true });
    this.#json(`${name}/package.json`, { private: true, type: format });
    this.#json(`${name}/tsconfig.json`, { compilerOptions, include: ['*.ts'] });
    for (const [file, text] of Object.entries(sources)) writeFileSync(join(dir, file), text);
    run(dir, process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']);
    this.#json(`${name}/out/package.json`, { private: true, type: format });
    return dir;
  }

  node(...args: string[]): string {
    return run(this.dir, process.execPath, args);
  }

  copy(from: string, to: string): void {
    cpSync(from, join(this.dir, to), { recursive: true });
  }

  #json(path: string, value: unknown): void {
    writeFileSync(join(this.dir, path), `${JSON.stringify(value, null, 2)}\n`);
  }
}
