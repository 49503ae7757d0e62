import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { Binaries } from './binaries.js';

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * The environment in which the programs find their shared libraries.
 *
 * npm packages can't hold symbolic links, so the package lists them and makes them in an install script. Where such
 * scripts are blocked they are missing; then they are made in `<dataDir>/lib`, because the installation may be
 * read-only or shared, and is not ours to change.
 */
export function libraryEnvironment(binaries: Binaries, dataDir: string): Readonly<Record<string, string>> {
  const links = missingLinks(binaries.native);
  if (links.length === 0) return {};
  const folder = join(dataDir, 'lib');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const { source, target } of links)
    placeLink(join(binaries.native, '..', source), join(folder, basename(target)));
  const path = [folder, join(binaries.native, 'lib')].join(delimiter);
  return process.platform === 'darwin' ? { DYLD_LIBRARY_PATH: path } : { LD_LIBRARY_PATH: path };
}

function missingLinks(native: string): readonly Link[] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly Link[];
  return links.filter(
    ({ target }) => lstatSync(join(native, '..', target), { throwIfNoEntry: false }) === undefined,
  );
}

/** Replaces an older link in one step: the installation may have moved since. */
function placeLink(source: string, path: string): void {
  const fresh = `${path}.${process.pid}`;
  symlinkSync(source, fresh);
  renameSync(fresh, path);
}
