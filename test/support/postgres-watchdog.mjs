// Outlives the test run by a moment: when the run's end of the pipe closes, however that comes about (end, Ctrl-C,
// SIGKILL), it stops the Postgres of the folder named on its command line and removes the folder.
// Plain JavaScript, because it runs without the test runner's compiler.
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: postgres-watchdog.mjs <folder of the run>');

// A service manager or a closing terminal may signal every process of the run: clean up first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.stdin.on('error', () => undefined).on('close', () => void cleanUp(folder));
process.stdin.resume();

async function cleanUp(/** @type {string} */ path) {
  const pid = serverOf(path);
  // Immediate: nobody wants this data any more.
  if (pid !== undefined) await stop(pid);
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function serverOf(/** @type {string} */ path) {
  try {
    const [line = ''] = readFileSync(join(path, 'cluster', 'postmaster.pid'), 'utf8').split('\n');
    const pid = Math.abs(Number.parseInt(line, 10));
    return pid > 0 && isAlive(pid) && isOurs(pid, path) ? pid : undefined;
  } catch {
    return undefined; // never started, or stopped already
  }
}

async function stop(/** @type {number} */ pid) {
  process.kill(pid, 'SIGQUIT');
  const deadline = performance.now() + 5_000;
  while (isAlive(pid) && performance.now() < deadline) await delay(20);
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await delay(20);
}

/** The number of a server that is gone may belong to another program by now. */
function isOurs(/** @type {number} */ pid, /** @type {string} */ path) {
  return process.platform !== 'linux' || readlinkSync(`/proc/${pid}/cwd`).startsWith(path);
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
