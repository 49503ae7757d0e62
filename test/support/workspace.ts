import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** The folder that holds the whole workspace. */
export const root = join(import.meta.dirname, '../..');

/** One door of a package: what the runtime, the compiler and our own tests open. */
export interface Door {
  types: string;
  default: string;
  '@nestjs-orchestrator/source': string;
}

/** What the checks read of a package.json. */
export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  exports?: Record<string, Door | string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

export interface Package {
  /** Folder name, such as `core`. */
  name: string;
  /** Path from the workspace root, such as `libs/core`. */
  path: string;
  manifest: Manifest;
}

/** Reads a JSON file of the workspace; the caller knows its shape. */
export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(root, path), 'utf8')) as T;
}

function packagesIn(folder: string): Package[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, folder, entry.name, 'package.json')))
    .map((entry) => {
      const path = `${folder}/${entry.name}`;
      return { name: entry.name, path, manifest: readJson<Manifest>(`${path}/package.json`) };
    });
}

export const libs = packagesIn('libs');
export const apps = packagesIn('apps');
export const rootManifest = readJson<Manifest>('package.json');

/** The doors of a package by their import specifier, `./package.json` left out. */
export function doorsOf(manifest: Manifest): [specifier: string, door: Door][] {
  return Object.entries(manifest.exports ?? {}).flatMap(([path, door]): [string, Door][] =>
    typeof door === 'string'
      ? []
      : [[path === '.' ? manifest.name : `${manifest.name}${path.slice(1)}`, door]],
  );
}

export interface SourceFile {
  /** Path from the package's `src` folder, with forward slashes. */
  path: string;
  text: string;
}

/** All TypeScript files below a package's `src`, specs included. */
export function sourcesOf(pkg: Package): SourceFile[] {
  const src = join(root, pkg.path, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return { path: relative(src, file).split(sep).join('/'), text: readFileSync(file, 'utf8') };
    });
}
