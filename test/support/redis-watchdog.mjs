// Outlives the test run by a moment: when the run's end of the pipe closes, however that comes about (end, Ctrl-C,
// SIGKILL), it ends every Redis server that has its files below the folder named on its command line, and removes the
// folder. Plain JavaScript, because it runs without the test runner's compiler.
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: redis-watchdog.mjs <folder of the run>');

// A service manager or a closing terminal may signal every process of the run: clean up first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
process.stdin.on('error', () => undefined).on('close', () => void cleanUp(folder));
process.stdin.resume();

async function cleanUp(/** @type {string} */ path) {
  // Nobody wants this data any more.
  for (const pid of serversBelow(path)) await end(pid);
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function serversBelow(/** @type {string} */ path) {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('redis.pid'))
    .map((name) => join(path, name))
    .flatMap((file) => {
      const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
      return pid > 0 && isAlive(pid) && isOurs(pid, dirname(file)) ? [pid] : [];
    });
}

async function end(/** @type {number} */ pid) {
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await delay(20);
}

/** The number of a server that is gone may belong to another program by now. */
function isOurs(/** @type {number} */ pid, /** @type {string} */ path) {
  try {
    return process.platform !== 'linux' || readlinkSync(`/proc/${pid}/cwd`) === path;
  } catch {
    return false;
  }
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
