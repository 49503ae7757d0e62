import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Downloads packages of Debian or Ubuntu into a folder; needs no rights, and installs nothing. */
export async function downloadPackages(folder: string, packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  try {
    await apt(folder, 'download', ...packages);
  } catch {
    // The machine has no lists, or old ones: read them into the folder, which needs no rights.
    mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
    await apt(folder, 'update');
    await apt(folder, 'download', ...packages);
  }
}

async function apt(folder: string, ...command: readonly string[]): Promise<void> {
  await run('apt-get', [...aptOptions(folder), ...command], { cwd: folder });
}

/** Lists of the machine as long as the folder has none; nothing of apt's own is written to. */
export function aptOptions(folder: string): readonly string[] {
  const lists = join(folder, 'lists');
  const cache = join(folder, 'archives');
  mkdirSync(join(cache, 'partial'), { recursive: true });
  const own = existsSync(lists);
  return [
    '-qq',
    '-o',
    `Dir::Cache=${cache}`,
    '-o',
    'APT::Sandbox::User=',
    ...(own ? ['-o', `Dir::State::lists=${lists}`] : []),
  ];
}
