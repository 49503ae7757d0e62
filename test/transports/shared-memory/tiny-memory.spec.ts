import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { folderOfTest } from '../named-pipe/support.js';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const canMount = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/dev/shm']).status === 0;

/** Runs in a namespace of its own, in which /dev/shm has so many kilobytes. */
function joinsIn(kilobytes: number): unknown {
  const run = [process.execPath, path('../../support/run-typescript.mjs'), path('./tiny-memory.process.ts')];
  const script = 'mount -t tmpfs -o size="$0"k none /dev/shm && exec "$@"';
  const argument = JSON.stringify({ directory: folderOfTest() });
  const { stdout, status, signal } = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', script, String(kilobytes), ...run, argument],
    { encoding: 'utf8' },
  );
  return signal ?? (status === 0 ? (JSON.parse(stdout) as unknown) : status);
}

// Where users can't make namespaces, `bad-input.spec.ts` stands alone: there posix_fallocate says no.
it.runIf(canMount).each([
  [2_400, ['joined', 'joined', 'TRANSPORT_UNAVAILABLE']],
  [4_000, ['joined', 'joined', 'joined']],
])('a /dev/shm of %i kB is refused at the door or holds everything', (kilobytes, outcomes) => {
  expect(joinsIn(kilobytes)).toEqual(outcomes);
});
